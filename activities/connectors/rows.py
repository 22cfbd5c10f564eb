"""Turns rows into columnar batches of text, and thins a stream of rows to a sample."""

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import orjson

from activities.connectors.protocol import Batch, Position, Values

CELLS = 200_000
"""Cells of one batch: bounds memory for tables of any width."""


def batch_rows(columns: int) -> int:
    """Return how many rows a batch of that many columns takes."""
    return max(1, min(20_000, CELLS // max(columns, 1)))


def columnar(rows: Sequence[Sequence[Any]], width: int, position: Position | None = None) -> Batch:
    """Return rows of equal length as a batch of text columns."""
    columns = [as_text(column) for column in zip(*rows, strict=True)] if rows else [()] * width
    return Batch(columns, len(rows), position)


def as_text(values: Sequence[Any]) -> Values:
    """Return a column's values as text, nulls and binary values as None."""
    kinds = set(map(type, values))
    kinds.discard(type(None))
    if not kinds or kinds == {str}:
        return values
    if len(kinds) == 1:
        convert = _CONVERT.get(kinds.pop(), _other)
        return [None if value is None else convert(value) for value in values]
    return [None if value is None else _CONVERT.get(type(value), _other)(value) for value in values]


def reservoir(
    batches: Iterable[Sequence[Sequence[Any]]], size: int, seed: int
) -> list[Sequence[Any]]:
    """Return `size` rows drawn evenly from all rows of a stream (Vitter's algorithm R)."""
    dice = random.Random(seed)
    kept: list[Sequence[Any]] = []
    seen = 0
    for rows in batches:
        for row in rows:
            seen += 1
            if len(kept) < size:
                kept.append(row)
            elif (place := dice.randrange(seen)) < size:
                kept[place] = row
    return kept


def in_batches(rows: Sequence[Sequence[Any]], width: int) -> Iterator[Batch]:
    """Yield rows that are in memory as batches."""
    size = batch_rows(width)
    for start in range(0, len(rows), size):
        yield columnar(rows[start : start + size], width)


def _bool(value: bool) -> str:
    return "true" if value else "false"


def _decimal(value: Decimal) -> str:
    return format(value, "f")


def _moment(value: date | time) -> str:
    return value.isoformat()


def _timestamp(value: datetime) -> str:
    return value.isoformat(sep=" ")


def _nothing(value: object) -> None:
    return None


def _other(value: Any) -> str | None:
    if isinstance(value, (dict, list)):
        return orjson.dumps(value, default=str).decode()
    return str(value)


_CONVERT: dict[type, Callable[[Any], str | None]] = {
    str: str,
    int: str,
    float: repr,
    bool: _bool,
    Decimal: _decimal,
    date: _moment,
    time: _moment,
    datetime: _timestamp,
    bytes: _nothing,
    bytearray: _nothing,
    memoryview: _nothing,
}
