"""Turns rows into columnar batches of text, and thins a stream of rows to a sample."""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, TypeVar

import orjson

from activities.connectors.protocol import Batch, Position, Values

Row = TypeVar("Row", bound=Sequence[Any])

CELLS = 200_000
"""Cells of one batch: bounds memory for tables of any width."""

_LOADED = 8 << 20
"""Characters of rows that are read before they are given on."""

_HELD = 64 << 20
"""Characters of a sample held at a time."""

_STRATA = 50
"""Places of an asset that a sample's blocks of rows come from."""


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


def bounded(rows: Iterable[Row], width: int, weigh: Callable[[Row], int]) -> Iterator[list[Row]]:
    """Yield a stream of rows in lists that are bounded in rows and in characters."""
    size, taken, held = batch_rows(width), list[Row](), 0
    for row in rows:
        taken.append(row)
        held += weigh(row)
        if len(taken) >= size or held >= _LOADED:
            yield taken
            taken, held = [], 0
    if taken:
        yield taken


def blocks(low: int, high: int, wanted: int, seed: int) -> Iterator[tuple[int, int, int]]:
    """Cut the range from `low` to `high`, left out, into strata, for a sample of `wanted` rows.

    Yield for each a place in it drawn at random, its end, and how many rows to take there.
    """
    dice, strata = random.Random(seed), max(1, min(_STRATA, wanted, high - low))
    for n in range(strata):
        share = wanted * (n + 1) // strata - wanted * n // strata
        start, end = low + (high - low) * n // strata, low + (high - low) * (n + 1) // strata
        yield dice.randint(start, max(start, end - share)), end, share


def reservoir(
    batches: Iterable[Sequence[Row]],
    size: int,
    seed: int,
    weigh: Callable[[Row], int] | None = None,
) -> list[Row]:
    """Return `size` rows drawn evenly from all rows of a stream (Vitter's algorithm R).

    Where they would take more than `_HELD` characters, half of them are given up, drawn evenly
    too, and from then on fewer are kept.
    """
    weigh = weigh or weight
    dice = random.Random(seed)
    kept: list[Row] = []
    seen = held = 0
    for rows in batches:
        for row in rows:
            seen += 1
            place = len(kept) if len(kept) < size else dice.randrange(seen)
            if place >= size:
                continue
            held += weigh(row)
            if place == len(kept):
                kept.append(row)
            else:
                held -= weigh(kept[place])
                kept[place] = row
            if held > _HELD and size > 1:
                size = max(1, len(kept) // 2)
                kept = dice.sample(kept, size)
                held = sum(map(weigh, kept))
    return kept


def weight(row: Sequence[Any]) -> int:
    """Return how many characters and bytes a row holds."""
    return sum(len(value) for value in row if isinstance(value, (str, bytes)))


def text_weight(row: Sequence[str | None]) -> int:
    """Return how many characters a row of nothing but text holds."""
    return sum(map(len, filter(None, row)))


def in_batches(
    rows: Sequence[Sequence[Any]], width: int, irregular: Mapping[str, int] | None = None
) -> Iterator[Batch]:
    """Yield rows that are in memory as batches, the last of which tells what was irregular."""
    size = batch_rows(width)
    for start in range(0, len(rows), size):
        last = start + size >= len(rows)
        batch = columnar(rows[start : start + size], width)
        yield replace(batch, irregular=dict(irregular)) if last and irregular else batch


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
