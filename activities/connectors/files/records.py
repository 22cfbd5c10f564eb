"""Reads JSON Lines and documents; nested values are columns by path (`a.b`, `items[].price`)."""

import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson

from activities.connectors.files.blocks import BLOCK, blocks
from activities.connectors.files.compression import data_suffix, opened
from activities.connectors.protocol import Asset, Batch, Column, Position, Sample
from activities.connectors.rows import as_text
from racine.errors import SourceFault

_HEAD_RECORDS = 1000
_WIDEST = 10_000
"""Paths a file may have: a map with data for keys would make a column of each."""

Record = Any


def describe(path: Path) -> tuple[tuple[Column, ...], dict[str, Any]]:
    """Return the paths of the first records as columns; a later record can add none."""
    lines = _is_lines(path)
    paths: dict[str, None] = {}
    for number, (record, _) in enumerate(_records(path, lines, 0)):
        if number == _HEAD_RECORDS:
            break
        paths.update(dict.fromkeys(flatten(record)))
        if len(paths) > _WIDEST:
            raise SourceFault(
                f"The records have more than {_WIDEST} different paths.",
                next_step="Keys that are data make a column each: export them as values.",
            )
    return tuple(Column(name, "json") for name in paths), {"lines": lines}


def read(path: Path, asset: Asset, sample: Sample, after: Position | None) -> Iterator[Batch]:
    """Yield the records of a file; positions are byte offsets, for JSON Lines only."""
    names = [column.name for column in asset.columns]
    lines = bool(asset.details["lines"])
    start = int(after) if after is not None and lines and sample.rows is None else 0
    if sample.rows is None:
        yield from _batches(_records(path, lines, start), names)
        return
    kept = _thinned((record for record, _ in _records(path, lines, 0)), sample.rows, sample.seed)
    yield from _batches(((record, None) for record in kept), names)


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


def _batches(
    records: Iterable[tuple[Record, Position | None]], names: list[str]
) -> Iterator[Batch]:
    size = max(1, min(5_000, 200_000 // max(len(names), 1)))
    values: list[list[Any]] = [[] for _ in names]
    places = {name: n for n, name in enumerate(names)}
    rows, position = 0, None
    for record, position in records:
        rows += 1
        flat = flatten(record)
        for name, place in places.items():
            values[place].extend(flat.get(name, _ABSENT))
        if rows == size:
            yield Batch([as_text(column) for column in values], rows, position)
            values, rows = [[] for _ in names], 0
    if rows:
        yield Batch([as_text(column) for column in values], rows, position)


_ABSENT = [None]


def _records(path: Path, lines: bool, start: int) -> Iterator[tuple[Record, Position | None]]:
    if lines:
        yield from _lines(path, start)
    else:
        yield from ((record, None) for record in _document(path))


def _lines(path: Path, start: int) -> Iterator[tuple[Record, int]]:
    """Yield the records of JSON Lines; lines that are no JSON are left out unless all are."""
    good = bad = 0
    position = start
    with opened(path) as stream:
        stream.seek(start)
        for block in blocks(stream, b"\n"):
            for line in block.splitlines(keepends=True):
                position += len(line)
                text = line.removeprefix(b"\xef\xbb\xbf").strip()
                if not text:
                    continue
                try:
                    record = orjson.loads(text)
                except orjson.JSONDecodeError:
                    bad += 1
                    continue
                good += 1
                yield record, position
    if bad and not good:
        raise SourceFault(
            f"None of the {bad} lines is JSON.", next_step="Check that the file is JSON Lines."
        )


def _document(path: Path) -> Iterator[Record]:
    """Yield the objects of a JSON array, or the one document."""
    from activities.connectors import duckdb_engine as engine  # slow to load, and rarely needed

    with engine.over_folder(path.parent) as connection:
        sql = f"SELECT json FROM read_json_objects({engine.text(str(path))})"
        for rows in engine.stream(connection, sql, 100, path.name):
            for (document,) in rows:
                try:
                    yield orjson.loads(document)
                except orjson.JSONDecodeError as fault:
                    raise SourceFault(
                        f"{path.name} is not valid JSON: {fault}.",
                        next_step="Write the file anew; it may have been cut off.",
                    ) from None


def _is_lines(path: Path) -> bool:
    """Whether each line is a record of its own, whatever the file is called."""
    if data_suffix(path) in (".jsonl", ".ndjson"):
        return True
    with opened(path) as stream:
        first = stream.read(BLOCK).lstrip(b"\xef\xbb\xbf \t\r\n").split(b"\n", 1)[0]
    try:
        return first.startswith(b"{") and isinstance(orjson.loads(first), dict)
    except orjson.JSONDecodeError:
        return False


def _thinned(records: Iterable[Record], size: int, seed: int) -> list[Record]:
    dice, kept = random.Random(seed), []
    for seen, record in enumerate(records):
        if seen < size:
            kept.append(record)
        elif (place := dice.randrange(seen + 1)) < size:
            kept[place] = record
    return kept
