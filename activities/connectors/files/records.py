"""Reads JSON Lines and documents; nested values are columns by path (`a.b`, `items[].price`)."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import orjson

from activities.connectors.files.blocks import BLOCK, LONGEST, blocks, estimated_lines
from activities.connectors.files.store import File
from activities.connectors.protocol import Asset, Batch, Column, Position, Sample
from activities.connectors.rows import as_text, reservoir
from activities.connectors.rows import blocks as row_blocks
from racine.errors import SourceFault

TOLD_BY_SIGNATURE = False

_HEAD_RECORDS = 1000
_WIDEST = 10_000
"""Paths a file may have: a map with data for keys would make a column of each."""

_WHOLE = 8 << 20
"""Bytes up to which every record of a file has its chance to be in the sample."""

_LONG = 1 << 20
"""Bytes of a record that a sample by blocks can take."""

_HELD = 8 << 20
"""Bytes of records of one batch."""

Record = Any
Found = tuple[Record, Position | None, int]
"""A record, where to go on after it, and its size in bytes."""


def describe(file: File) -> tuple[tuple[Column, ...], dict[str, Any]]:
    """Return the paths of the first records as columns; a later record can add none."""
    lines = _is_lines(file)
    paths: dict[str, None] = {}
    for number, (record, *_) in enumerate(_records(file, lines, 0, Counter())):
        if number == _HEAD_RECORDS:
            break
        paths.update(dict.fromkeys(flatten(record)))
        if len(paths) > _WIDEST:
            raise SourceFault(
                f"The records have more than {_WIDEST} different paths.",
                next_step="Keys that are data make a column each: export them as values.",
            )
    return tuple(Column(name, "json") for name in paths), {"lines": lines}


def signature(file: File) -> str:
    """Return what files of one schema share: the paths of the first record."""
    records = _records(file, _is_lines(file), 0, Counter())
    return repr([sorted(flatten(record)) for record, *_ in islice(records, 1)])


def count(file: File, asset: Asset) -> int | None:
    """Return about how many records a file of lines has, None for other files."""
    if file.is_compressed or not asset.details["lines"]:
        return None
    with file.plain() as stream:
        return estimated_lines(stream, file.bytes)


def read(file: File, asset: Asset, sample: Sample, after: Position | None) -> Iterator[Batch]:
    """Yield the records of a file; positions are byte offsets, for JSON Lines only."""
    names = [column.name for column in asset.columns]
    lines, irregular = bool(asset.details["lines"]), Counter[str]()
    if sample.rows is None:
        start = int(after) if after is not None and lines else 0
        yield from _batches(_records(file, lines, start, irregular), names, irregular)
        return
    if lines and not file.is_compressed and file.bytes > _WHOLE:
        kept = _scattered(file, sample, irregular)
    else:
        each = ([found] for found in _records(file, lines, 0, irregular))
        kept = reservoir(each, sample.rows, sample.seed, weigh=lambda found: found[2])
    yield from _batches(((record, None, size) for record, _, size in kept), names, irregular)


def flatten(record: Record) -> dict[str, list[Any]]:
    """Return a record's scalar values by path; lists add `[]` to the path and all their values."""
    found: dict[str, list[Any]] = {}

    def walk(value: Any, path: str) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                walk(inner, f"{path}.{key}" if path else key)
        elif isinstance(value, list):
            for inner in value:
                walk(inner, f"{path}[]")
        else:
            found.setdefault(path or "value", []).append(value)

    walk(record, "")
    return found


def _batches(found: Iterable[Found], names: list[str], irregular: Counter[str]) -> Iterator[Batch]:
    size = max(1, min(5_000, 200_000 // max(len(names), 1)))
    values: list[list[Any]] = [[] for _ in names]
    rows, held, position = 0, 0, None
    for record, position, weight in found:
        rows, held = rows + 1, held + weight
        flat = flatten(record)
        for name, column in zip(names, values, strict=True):
            column.extend(flat.get(name, _ABSENT))
        if rows == size or held > _HELD:
            yield _batch(values, rows, position, irregular)
            values, rows, held = [[] for _ in names], 0, 0
    if rows or irregular:
        yield _batch(values, rows, position, irregular)


_ABSENT = [None]


def _batch(
    values: list[list[Any]], rows: int, position: Position | None, irregular: Counter[str]
) -> Batch:
    told = dict(irregular)
    irregular.clear()
    return Batch([as_text(column) for column in values], rows, position, told)


def _records(file: File, lines: bool, start: int, irregular: Counter[str]) -> Iterator[Found]:
    if lines:
        yield from _lines(file, start, irregular)
    else:
        yield from _document(file)


def _lines(file: File, start: int, irregular: Counter[str]) -> Iterator[Found]:
    """Yield the records of JSON Lines; lines that are no JSON are left out unless all are."""
    good, bad = False, 0
    position = start
    with file.opened() as stream:
        stream.seek(start)
        for block in blocks(stream, b"\n", irregular):
            at = position
            position += block.taken
            for line in block.data.splitlines(keepends=True):
                at += len(line)
                record = _parsed(line)
                if record is _NO_JSON:
                    bad += 1
                    irregular[_BROKEN] += 1
                elif record is not _BLANK:
                    good = True
                    yield record, at, len(line)
    if bad and not good:
        raise SourceFault(
            f"None of the {bad} lines is JSON.", next_step="Check that the file is JSON Lines."
        )


_NO_JSON, _BLANK = object(), object()
_BROKEN = "lines that are no JSON, left out"


def _parsed(line: bytes) -> Record:
    text = line.removeprefix(b"\xef\xbb\xbf").strip()
    if not text:
        return _BLANK
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return _NO_JSON


def _scattered(file: File, sample: Sample, irregular: Counter[str]) -> list[Found]:
    """Return records from blocks that begin at random bytes, one in each stratum of the file."""
    assert sample.rows is not None
    found: list[Found] = []
    with file.plain() as stream:
        for place, _, share in row_blocks(0, file.bytes, sample.rows, sample.seed):
            stream.seek(place)
            stream.readline(LONGEST)  # the rest of a line that began before
            for _ in range(share):
                line = stream.readline(_LONG)
                record = _parsed(line) if line[-1:] == b"\n" else _BLANK
                irregular[_BROKEN] += record is _NO_JSON
                if record is not _NO_JSON and record is not _BLANK:
                    found.append((record, None, len(line)))
    return found[: sample.rows]


def _document(file: File) -> Iterator[Found]:
    """Yield the objects of a JSON array, or the one document."""
    from activities.connectors import duckdb_engine as engine  # slow to load, and rarely needed

    with file.engine() as (connection, path):
        sql = f"SELECT json FROM read_json_objects({engine.text(path)})"
        for rows in engine.stream(connection, sql, 100, file.name):
            for (document,) in rows:
                try:
                    yield orjson.loads(document), None, len(document)
                except orjson.JSONDecodeError as fault:
                    raise SourceFault(
                        f"{file.name} is not valid JSON: {fault}.",
                        next_step="Write the file anew; it may have been cut off.",
                    ) from None


def _is_lines(file: File) -> bool:
    """Whether each line is a record of its own, whatever the file is called."""
    if file.suffix in (".jsonl", ".ndjson"):
        return True
    with file.opened() as stream:
        first = stream.read(BLOCK).lstrip(b"\xef\xbb\xbf \t\r\n").split(b"\n", 1)[0]
    try:
        return first.startswith(b"{") and isinstance(orjson.loads(first), dict)
    except orjson.JSONDecodeError:
        return False
