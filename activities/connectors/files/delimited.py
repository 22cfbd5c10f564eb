"""Reads CSV and its kin as text, exactly as written.

The standard library's reader is used rather than DuckDB's: it keeps every cell's text (`00123`,
dates, placeholders), goes on after a ragged or broken row, and lets a read begin at any byte, which
resuming and block sampling need.
"""

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from activities.connectors.files.blocks import (
    BLOCK,
    LONGEST,
    blocks,
    decode,
    estimated_lines,
    lines_of,
)
from activities.connectors.files.dialect import HEAD, Dialect, sniff
from activities.connectors.files.store import File
from activities.connectors.protocol import Asset, Batch, Column, Position, Sample, Values
from activities.connectors.rows import blocks as row_blocks
from activities.connectors.rows import in_batches, reservoir

csv.field_size_limit(LONGEST)

_WHOLE = 8 << 20
"""Bytes up to which every row of a file has its chance to be in the sample."""

_BLOCK_BYTES = 2 << 20
"""Bytes of rows that a sample takes at one place at most."""

_SIGNATURE = 64 << 10

SHORT = "rows with fewer cells than columns"
LONG = "rows with more cells than columns"

TOLD_BY_SIGNATURE = True

Rows = list[list[str]]


def describe(file: File) -> tuple[tuple[Column, ...], dict[str, Any]]:
    """Return a file's columns and its dialect."""
    with file.opened() as stream:
        head = more = stream.read(HEAD)
        while more and b"\n" not in more and b"\r" not in head and len(head) < LONGEST:
            more = stream.read(BLOCK)
            head += more
    found = sniff(head, len(head) < HEAD, file.suffix)
    columns = tuple(Column(name, "text") for name in found.names)
    return columns, {"dialect": found.dialect.to_json()}


def signature(file: File) -> str:
    """Return what files of one schema share: the first line, as it is."""
    with file.opened() as stream:
        return stream.read(_SIGNATURE).split(b"\n", 1)[0].decode("latin-1")


def count(file: File, asset: Asset) -> int | None:
    """Return about how many rows a file has, None where only decompressing it would tell."""
    if file.is_compressed:
        return None
    with file.plain() as stream:
        lines = estimated_lines(stream, file.bytes)
    return max(0, lines - int(asset.details["dialect"]["header"]))


def read(file: File, asset: Asset, sample: Sample, after: Position | None) -> Iterator[Batch]:
    """Yield the rows of a delimited file; positions are byte offsets."""
    dialect = Dialect(**asset.details["dialect"])
    width = len(asset.columns)
    if sample.rows is None:
        yield from _all(file, dialect, width, int(after) if after is not None else None)
        return
    irregular = Counter[str]()
    if file.bytes <= _WHOLE or dialect.encoding != "utf-8" or file.is_compressed:
        parts = (_even(rows, width, irregular) for rows in _parts(file, dialect, irregular))
        rows = reservoir(parts, sample.rows, sample.seed)
    else:
        rows = list(_even(_scattered(file, dialect, sample, irregular), width, irregular))
    yield from in_batches(rows, width, irregular)


def _all(file: File, dialect: Dialect, width: int, after: int | None) -> Iterator[Batch]:
    irregular = Counter[str]()
    for text, header, position in _texts(file, dialect, irregular, after):
        columns: Sequence[Values] | None = columns_of(text, dialect.delimiter, width, header)
        if columns is None:
            rows = _even(parse(text, dialect.delimiter)[header:], width, irregular)
            columns = list(zip(*rows, strict=True)) or [()] * width
        yield Batch(columns, len(columns[0]) if columns else 0, position, dict(irregular))
        irregular.clear()


def _parts(file: File, dialect: Dialect, irregular: Counter[str]) -> Iterator[Rows]:
    for text, header, _ in _texts(file, dialect, irregular):
        yield parse(text, dialect.delimiter)[header:]


def _texts(
    file: File, dialect: Dialect, irregular: Counter[str], after: int | None = None
) -> Iterator[tuple[str, int, int]]:
    """Yield texts of whole rows, how many of each are the header, and the offset it ends at."""
    header = int(after is None and dialect.header)
    position = dialect.start if after is None else after
    newline = dialect.newline.encode(dialect.encoding)
    quote = '"'.encode(dialect.encoding)
    with file.opened() as stream:
        stream.seek(position)
        for block in blocks(stream, newline, irregular, quote):
            position += block.taken
            text = decode(block.data, dialect.encoding, irregular)
            yield text, header, position
            header = 0 if text.strip("\r\n") else header


def columns_of(text: str, delimiter: str, width: int, header: int) -> list[list[str]] | None:
    """Return columns where each line has that many cells and none is quoted, else None.

    Splitting the whole text takes half as long as reading it row by row, and leaves the garbage
    collector no rows to look through.
    """
    text = text.replace("\r\n", "\n")
    if width < 2 or '"' in text or "\r" in text:
        return None
    text = text.removesuffix("\n")
    if {line.count(delimiter) for line in text.split("\n")} != {width - 1}:
        return None
    cells = text.replace("\n", delimiter).split(delimiter)
    return [cells[header * width + place :: width] for place in range(width)]


def parse(text: str, delimiter: str) -> Rows:
    """Return the rows of a text, blank lines left out; a broken line is split without quoting."""
    try:
        return [row for row in csv.reader(lines_of(text), delimiter=delimiter) if row]
    except csv.Error:
        lines = text.splitlines()
        return [
            row for row in csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE) if row
        ]


def _scattered(file: File, dialect: Dialect, sample: Sample, irregular: Counter[str]) -> Rows:
    """Return rows from blocks that begin at random bytes, one in each stratum of the file."""
    assert sample.rows is not None
    rows: Rows = []
    with file.plain() as stream:
        for place, _, share in row_blocks(0, file.bytes, sample.rows, sample.seed):
            stream.seek(place)
            stream.readline(LONGEST)  # the rest of a line that began before
            lines = _lines(stream, share, _BLOCK_BYTES)
            rows += parse(decode(lines, dialect.encoding, irregular), dialect.delimiter)
    return rows[: sample.rows]


def _lines(stream: Any, wanted: int, room: int) -> bytes:
    """Return some lines, fewer where they are long."""
    lines: list[bytes] = []
    while len(lines) < wanted and (line := stream.readline(room)):
        room -= len(line)
        if room <= 0:
            break
        lines.append(line)
    return b"".join(lines)


def _even(rows: Rows, width: int, irregular: Counter[str]) -> Sequence[Sequence[str | None]]:
    """Return rows of one width: short ones end in nulls, what is beyond the header is left out."""
    if set(map(len, rows)) <= {width}:
        return rows
    irregular[SHORT] += sum(len(row) < width for row in rows)
    irregular[LONG] += sum(len(row) > width for row in rows)
    empty: list[str | None] = [None] * width
    return [row if len(row) == width else [*row[:width], *empty[len(row) :]] for row in rows]
