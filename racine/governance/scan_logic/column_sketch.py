"""What is known of a column after some of its rows: it merges, is stored, and tells a profile."""

import heapq
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import mul
from typing import Any

from racine.governance.scan_logic.sketches import CODES_HELD, Distinct, Frequent, Quantiles

DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
TIMESTAMP = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}.*")

_SHAPES_HELD = 100
_SHAPES_SHOWN = 5
_FREQUENT = 64
_CODES_KEPT = 256
"""Keyed hashes of a column that outlast its scan: 6 % of error at 2 kB."""
_QUARTILES = {"q1": 0.25, "median": 0.5, "q3": 0.75}


@dataclass
class Range:
    """Count, least, greatest and mean."""

    count: int = 0
    total: float = 0.0
    least: float = math.inf
    greatest: float = -math.inf

    def add(self, numbers: Sequence[float], counts: Sequence[int]) -> None:
        if not numbers:
            return
        count = sum(counts)
        self.count += count
        # Mostly each value is there once, and there is nothing to multiply.
        alone = count == len(counts)
        self.total += sum(numbers if alone else map(mul, numbers, counts))
        self.least = min(self.least, min(numbers))
        self.greatest = max(self.greatest, max(numbers))

    def merge(self, other: "Range") -> None:
        self.count += other.count
        self.total += other.total
        self.least = min(self.least, other.least)
        self.greatest = max(self.greatest, other.greatest)

    def shown(self) -> dict[str, float] | None:
        if not self.count:
            return None
        mean = round(self.total / self.count, 2)
        return {"min": self.least, "max": self.greatest, "mean": mean}


class Numbers:
    """The range of a column whose every value is a number; `broken` once one is not."""

    def __init__(self) -> None:
        self.range, self.broken = Range(), False

    def add(self, values: Iterable[str], counts: Sequence[int]) -> list[float] | None:
        """Return the values as numbers, None where they are not all finite numbers."""
        if self.broken:
            return None
        try:
            numbers = list(map(float, values))
        except ValueError:
            self.broken = True
            return None
        if not all(map(math.isfinite, numbers)):
            return None
        self.range.add(numbers, counts)
        return numbers

    def merge(self, other: "Numbers") -> None:
        self.broken |= other.broken
        self.range.merge(other.range)

    def shown(self) -> dict[str, float] | None:
        """Return the range with three significant digits: a whole account number is a value."""
        found = None if self.broken else self.range.shown()
        return {name: _rounded(n) for name, n in found.items()} if found else None


class Months:
    """The range of a column whose every value is an ISO date or time, to the month.

    A day would be somebody's value: a birthday, say.
    """

    def __init__(self, first: str = "", last: str = "", *, broken: bool = False) -> None:
        self.first, self.last, self.broken = first, last, broken

    def add(self, values: Iterable[str]) -> None:
        if self.broken:
            return
        for value in values:
            if not (DATE.fullmatch(value) or TIMESTAMP.fullmatch(value)):
                self.broken = True
                return
            self._widen(value[:7], value[:7])

    def merge(self, other: "Months") -> None:
        self.broken |= other.broken
        if other.first:
            self._widen(other.first, other.last)

    def _widen(self, first: str, last: str) -> None:
        self.first = min(self.first, first) if self.first else first
        self.last = max(self.last, last)

    def shown(self) -> dict[str, str] | None:
        if self.broken or not self.first:
            return None
        return {"min": self.first, "max": self.last}


@dataclass
class KeptSketches:
    """What outlasts a scan: distinct hashes, the commonest of them, the numbers' distribution."""

    distinct: Distinct = field(default_factory=Distinct)
    frequent: Frequent = field(default_factory=lambda: Frequent(_FREQUENT))
    quantiles: Quantiles = field(default_factory=Quantiles)

    @classmethod
    def of_values(cls, limit: int) -> "KeptSketches":
        """Return empty ones for a column of which so many values are held at once.

        A wide table's hold few, and its hashes would be most of what its scan has in memory.
        """
        return cls(Distinct(min(CODES_HELD, max(_CODES_KEPT, limit))))

    def add(
        self, codes: Sequence[int], counts: Sequence[int], numbers: Sequence[float] | None
    ) -> None:
        self.distinct.add(codes)
        # Cut before they are taken in, as the sketch itself would: most values are not common.
        cut = _cut(counts)
        if cut < max(counts, default=0):
            common = zip(codes, counts, strict=True)
            self.frequent.add({f"{c:016x}": count - cut for c, count in common if count > cut})
        if numbers is not None:
            self.quantiles.add(numbers, counts)

    def merge(self, other: "KeptSketches") -> None:
        self.distinct.merge(other.distinct)
        self.frequent.merge(other.frequent)
        self.quantiles.merge(other.quantiles)

    def to_json(self) -> dict[str, Any]:
        return {
            "distinct": self.distinct.to_json(),
            "frequent": self.frequent.to_json(),
            "quantiles": self.quantiles.to_json(),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "KeptSketches":
        return cls(
            Distinct.from_json(stored["distinct"]),
            Frequent.from_json(_FREQUENT, stored["frequent"]),
            Quantiles.from_json(stored["quantiles"]),
        )


def _cut(counts: Sequence[int]) -> int:
    """Return the count that is too common to be among the commonest; most often that is one."""
    if len(counts) <= _FREQUENT:
        return 0
    more = [count for count in counts if count > 1]
    return heapq.nlargest(_FREQUENT + 1, more)[-1] if len(more) > _FREQUENT else 1


@dataclass
class ColumnSketch:
    """Counts, ranges, shapes, and with `kept` what can be asked later; never a value."""

    values: int = 0
    nulls: int = 0
    distinct: int = 0
    exact: bool = True
    types: set[str] = field(default_factory=set)
    lengths: Range = field(default_factory=Range)
    numbers: Numbers = field(default_factory=Numbers)
    months: Months = field(default_factory=Months)
    shapes: Frequent = field(default_factory=lambda: Frequent(_SHAPES_HELD))
    kept: KeptSketches | None = None

    def merge(self, other: "ColumnSketch") -> None:
        """Take in what is known of other rows of the same column."""
        self.values += other.values
        self.nulls += other.nulls
        self.types |= other.types
        for mine, theirs in zip(self._ranges(), other._ranges(), strict=True):
            mine.merge(theirs)
        self.shapes.merge(other.shapes)
        self._merge_kept(other)

    def _ranges(self) -> tuple[Any, ...]:
        return self.lengths, self.numbers, self.months

    def _merge_kept(self, other: "ColumnSketch") -> None:
        alone = not (self.distinct and other.distinct)
        if self.kept is not None and other.kept is not None:
            self.kept.merge(other.kept)
        if alone:
            self.distinct, self.exact = self.distinct or other.distinct, self.exact and other.exact
        elif self.kept is not None:
            self.distinct, self.exact = self.kept.distinct.count(), self.kept.distinct.exact
        else:
            self.distinct, self.exact = max(self.distinct, other.distinct), False

    def profile(self) -> dict[str, Any]:
        """Return what a reader is shown."""
        total = max(sum(count for _, count in self.shapes.top()), 1)
        shapes = self.shapes.top(_SHAPES_SHOWN)
        profile: dict[str, Any] = {
            "values": self.values,
            "nulls": self.nulls,
            "distinct": self.distinct,
            "distinct_exact": self.exact,
            "type": _joined(self.types),
            "length": self.lengths.shown(),
            "patterns": [{"shape": s, "share": round(n / total, 3)} for s, n in shapes],
        }
        if numbers := self.numbers.shown():
            profile["number"] = numbers | self._quartiles()
        if months := self.months.shown():
            profile["months"] = months
        return profile

    def _quartiles(self) -> dict[str, float]:
        if self.kept is None:
            return {}
        found = {name: self.kept.quantiles.at(share) for name, share in _QUARTILES.items()}
        return {name: _rounded(n) for name, n in found.items() if n is not None}

    def for_keeping(self) -> dict[str, Any]:
        """Return the stored form with fewer hashes: it lasts, and there are many columns."""
        stored = self.to_json()
        if self.kept is not None:
            stored["kept"]["distinct"] = self.kept.distinct.reduced(_CODES_KEPT).to_json()
        return stored

    def to_json(self) -> dict[str, Any]:
        """Return the stored form: of numbers, three significant digits."""
        numbers, months = self.numbers, self.months
        return {
            "values": self.values,
            "nulls": self.nulls,
            "distinct": self.distinct,
            "exact": self.exact,
            "types": sorted(self.types),
            "lengths": _range_to_json(self.lengths),
            "numbers": None if numbers.broken else _range_to_json(numbers.range),
            "months": None if months.broken else [months.first, months.last],
            "shapes": self.shapes.to_json(),
            "kept": None if self.kept is None else self.kept.to_json(),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "ColumnSketch":
        numbers, months = Numbers(), stored["months"]
        numbers.broken = stored["numbers"] is None
        numbers.range = _range_from_json(stored["numbers"] or [])
        return cls(
            values=stored["values"],
            nulls=stored["nulls"],
            distinct=stored["distinct"],
            exact=stored["exact"],
            types=set(stored["types"]),
            lengths=_range_from_json(stored["lengths"]),
            numbers=numbers,
            months=Months(broken=True) if months is None else Months(*months),
            shapes=Frequent.from_json(_SHAPES_HELD, stored["shapes"]),
            kept=None if stored["kept"] is None else KeptSketches.from_json(stored["kept"]),
        )


def _rounded(number: float) -> float:
    return float(f"{number:.3g}")


def _range_to_json(found: Range) -> list[float]:
    if not found.count:
        return []
    mean = found.total / found.count
    return [found.count, *map(_rounded, (mean, found.least, found.greatest))]


def _range_from_json(stored: Sequence[float]) -> Range:
    if not stored:
        return Range()
    count, mean, least, greatest = stored
    return Range(int(count), mean * count, least, greatest)


def _joined(types: set[str]) -> str:
    """Return the type all values can be read as."""
    if len(types) == 1:
        return next(iter(types))
    if types == {"integer", "number"}:
        return "number"
    return "timestamp" if types == {"date", "timestamp"} else "text"
