"""Reads CSV and its kin as text, exactly as written.

The standard library's reader is used rather than DuckDB's: it keeps every cell's text (`00123`,
dates, placeholders), goes on after a ragged or broken row, and lets a read begin at any byte, which
resuming and block sampling need.
"""

import csv
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from activities.connectors.files.blocks import blocks, decode, lines_of
from activities.connectors.files.compression import data_suffix, is_compressed, opened
from activities.connectors.files.dialect import HEAD, Dialect, sniff
from activities.connectors.protocol import Asset, Batch, Column, Position, Sample
from activities.connectors.rows import in_batches, reservoir

csv.field_size_limit(16 << 20)

_WHOLE = 8 << 20
"""Bytes up to which every row of a file has its chance to be in the sample."""

_STRATA = 50

Rows = list[list[str]]


def describe(path: Path) -> tuple[tuple[Column, ...], dict[str, Any]]:
    """Return a file's columns and its dialect."""
    with opened(path) as stream:
        head = stream.read(HEAD)
    found = sniff(head, len(head) < HEAD, data_suffix(path))
    columns = tuple(Column(name, "text") for name in found.names)
    return columns, {"dialect": found.dialect.to_json()}


def read(path: Path, asset: Asset, sample: Sample, after: Position | None) -> Iterator[Batch]:
    """Yield the rows of a delimited file; positions are byte offsets."""
    dialect = Dialect(**asset.details["dialect"])
    width = len(asset.columns)
    if sample.rows is None:
        yield from _all(path, dialect, width, int(after) if after is not None else None)
    elif path.stat().st_size <= _WHOLE or dialect.encoding != "utf-8" or is_compressed(path):
        parts = (_even(rows, width) for rows, _ in _parts(path, dialect))
        yield from in_batches(reservoir(parts, sample.rows, sample.seed), width)
    else:
        yield from in_batches(_even(_scattered(path, dialect, sample), width), width)


def _all(path: Path, dialect: Dialect, width: int, after: int | None) -> Iterator[Batch]:
    for rows, position in _parts(path, dialect, after):
        columns = list(zip(*_even(rows, width), strict=True))
        yield Batch(columns or [()] * width, len(rows), position)


def _parts(path: Path, dialect: Dialect, after: int | None = None) -> Iterator[tuple[Rows, int]]:
    """Yield rows with the offset at which each part ends, the header left out."""
    first = after is None and dialect.header
    position = dialect.start if after is None else after
    newline = dialect.newline.encode(dialect.encoding)
    quote = '"'.encode(dialect.encoding)
    with opened(path) as stream:
        stream.seek(position)
        for block in blocks(stream, newline, quote):
            rows = parse(decode(block, dialect.encoding), dialect.delimiter)
            position += len(block)
            if first and rows:
                rows, first = rows[1:], False
            yield rows, position


def parse(text: str, delimiter: str) -> Rows:
    """Return the rows of a text, blank lines left out; a broken line is split without quoting."""
    try:
        return [row for row in csv.reader(lines_of(text), delimiter=delimiter) if row]
    except csv.Error:
        lines = text.splitlines()
        return [
            row for row in csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE) if row
        ]


def _scattered(path: Path, dialect: Dialect, sample: Sample) -> Rows:
    """Return rows from blocks that begin at random bytes, one in each stratum of the file."""
    assert sample.rows is not None
    size, dice = path.stat().st_size, random.Random(sample.seed)
    strata = min(_STRATA, sample.rows)
    wanted = -(-sample.rows // strata)
    rows: Rows = []
    with path.open("rb") as stream:
        for n in range(strata):
            low, high = size * n // strata, size * (n + 1) // strata
            stream.seek(dice.randrange(low, high))
            stream.readline(1 << 20)  # the rest of a line that began before
            lines = [stream.readline(1 << 20) for _ in range(wanted)]
            rows += parse(decode(b"".join(lines), dialect.encoding), dialect.delimiter)
    return rows[: sample.rows]


def _even(rows: Rows, width: int) -> Sequence[Sequence[str | None]]:
    """Return rows of one width: short ones end in nulls, what is beyond the header is left out."""
    if set(map(len, rows)) <= {width}:
        return rows
    empty: list[str | None] = [None] * width
    return [row if len(row) == width else [*row[:width], *empty[len(row) :]] for row in rows]
