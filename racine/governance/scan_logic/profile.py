"""Profiles a column in one pass over its values, in bounded memory, keeping none of them."""

import copy
import math
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import compress
from operator import methodcaller, mul, not_
from typing import Any

DISTINCT_LIMIT = 50_000
"""Distinct values of one column held at a time."""

VALUES_LIMIT = 600_000
"""Distinct values of one table held at a time."""

CHARACTERS_LIMIT = 64 << 20
"""Characters of one table held at a time, about."""

LONGEST_VALUE = 4096
"""Characters of a value that the classifiers see."""

_HASH_BITS = 32
_SHAPES_READ = 2000
_SHAPES_KEPT = 5
_LONGEST_SHAPE = 40

_CLASSES = dict.fromkeys(range(ord("0"), ord("9") + 1), "9")
_CLASSES |= dict.fromkeys(range(ord("a"), ord("z") + 1), "a")
_CLASSES |= dict.fromkeys(range(ord("A"), ord("Z") + 1), "A")


class ColumnProfile:
    """Takes a column's values batch by batch; knows counts, ranges and shapes of all of them.

    What the classifiers see is all distinct values up to `limit`, and beyond it an even sample of
    the distinct values with their true counts: one level more of the hash must be zero whenever
    there are too many (P. Gibbons, Distinct Sampling, VLDB 2001). Its size also estimates how many
    there are.
    """

    def __init__(
        self,
        *,
        blank_is_null: bool,
        limit: int = DISTINCT_LIMIT,
        characters: int = CHARACTERS_LIMIT,
    ) -> None:
        self._blank_is_null, self._limit = blank_is_null, limit
        self._characters = characters
        self._longest_mean = 1
        self._seen: Counter[str | None] = Counter()
        self._level = 0
        self._lengths, self._numbers, self._months = _Range(), _Numbers(), _Months()
        self.values = self.nulls = self.blanks = 0

    def add(self, values: Sequence[str | None]) -> None:
        self._seen.update(values)
        room = min(self._limit, self._characters // self._mean_length(values))
        if len(self._seen) > room:
            self._count_blanks()
            self._thin()
            # Far below the limit, or the next batch would already have all hashed again.
            while len(self._seen) > room // 4 and self._level < _HASH_BITS:
                self._level += 1
                self._thin()

    def sample(self) -> Mapping[str, int]:
        """Return the distinct values for the classifiers, each with its count."""
        self._count_blanks()
        if self._level:
            self._thin()
        return _shortened(self._seen)

    def result(self, sample: Mapping[str, int]) -> dict[str, Any]:
        """Return the profile, which holds no value; `sample` is what `sample()` gave."""
        lengths, numbers = self._lengths.copy(), self._numbers.copy()
        months = self._months.copy()
        self._measure(self._seen, lengths, numbers)  # the sample's longest values are cut
        months.add(sample)
        shapes, types = _shapes(sample)
        profile: dict[str, Any] = {
            "values": self.values + sum(sample.values()),
            "nulls": self.nulls,
            "distinct": len(self._seen) << self._level,
            "distinct_exact": self._level == 0,
            "type": _joined(types),
            "length": lengths.to_json(),
            "patterns": shapes,
        }
        if found := numbers.to_json():
            profile["number"] = found
        if span := months.to_json():
            profile["months"] = span
        return profile

    def _mean_length(self, values: Sequence[str | None]) -> int:
        """Return the largest mean length of a batch so far, each judged by some of its values."""
        lengths = [len(value) for value in values[:: len(values) // 50 + 1] if value]
        if lengths:
            self._longest_mean = max(self._longest_mean, sum(lengths) // len(lengths))
        return self._longest_mean

    def _count_blanks(self) -> None:
        self.nulls += self._seen.pop(None, 0)
        blanks = self._seen.pop("", 0)
        self.blanks += blanks
        if self._blank_is_null:
            self.nulls += blanks
        else:
            self.values += blanks

    def _thin(self) -> None:
        """Drop the values whose hash is not of the level, once they are counted and measured."""
        seen, mask = self._seen, (1 << self._level) - 1
        keeps = [not code & mask for code in _codes(seen)]
        kept: Counter[str | None] = Counter()
        dict.update(kept, compress(seen.items(), keeps))
        dropped = dict(compress(seen.items(), map(not_, keeps)))
        self._seen = kept
        self._measure(dropped, self._lengths, self._numbers)
        self.values += sum(dropped.values())
        self._months.add(value for value in dropped if value is not None)

    @staticmethod
    def _measure(values: Mapping[Any, int], lengths: "_Range", numbers: "_Numbers") -> None:
        lengths.add(list(map(len, values)), values.values())
        numbers.add(values)


def _codes(values: Iterable[Any]) -> Iterator[int]:
    """Return hashes that another process, which scans the same data, gets too: not hash()."""
    return map(zlib.crc32, map(_encode, values))


_encode = methodcaller("encode", "utf-8", "surrogatepass")


def _joined(types: set[str]) -> str:
    """Return the type all values can be read as."""
    if len(types) == 1:
        return next(iter(types))
    if types == {"integer", "number"}:
        return "number"
    return "timestamp" if types == {"date", "timestamp"} else "text"


def _shapes(sample: Mapping[str, int]) -> tuple[list[dict[str, Any]], set[str]]:
    """Return the commonest shapes with their shares, and the types, of an even part of a sample."""
    shapes, types = Counter[str](), set[str]()
    step = max(1, len(sample) // _SHAPES_READ)
    for value in list(sample)[::step]:
        shapes[shape(value)] += sample[value]
        types.add(type_of(value))
    total = max(shapes.total(), 1)
    common = shapes.most_common(_SHAPES_KEPT)
    return [{"shape": text, "share": round(count / total, 3)} for text, count in common], types


def shape(value: str) -> str:
    """Return a value with its letters and digits masked: `Jo 1` is `Aa 9`."""
    text = value[:_LONGEST_SHAPE]
    if text.isascii():
        return text.translate(_CLASSES)
    return "".join("x" if char.isalnum() else char for char in text.translate(_MARKED)).translate(
        _UNMARKED
    )


_MARKED = {code: chr(0xE000 + ord(mark)) for code, mark in _CLASSES.items()}
_UNMARKED = {0xE000 + ord(mark): mark for mark in "9aA"}

_INTEGER = re.compile(r"[-+]?(0|[1-9]\d{0,17})")
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_TIMESTAMP = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}.*")


def type_of(value: str) -> str:
    """Return what one value can be read as; digits after a leading zero are text."""
    if _INTEGER.fullmatch(value):
        return "integer"
    if _NUMBER.fullmatch(value):
        return "text" if len(value) > 1 and value[0] == "0" and value[1].isdigit() else "number"
    if value.lower() in ("true", "false"):
        return "boolean"
    if _DATE.fullmatch(value):
        return "date"
    return "timestamp" if _TIMESTAMP.fullmatch(value) else "text"


class _Range:
    """Count, least, greatest and mean."""

    def __init__(self) -> None:
        self.count, self.total = 0, 0.0
        self.least, self.greatest = math.inf, -math.inf

    def add(self, numbers: Sequence[float], counts: Iterable[int]) -> None:
        if not numbers:
            return
        counts = list(counts)
        self.count += sum(counts)
        self.total += sum(map(mul, numbers, counts))
        self.least = min(self.least, min(numbers))
        self.greatest = max(self.greatest, max(numbers))

    def copy(self) -> "_Range":
        return copy.copy(self)

    def to_json(self) -> dict[str, float] | None:
        if not self.count:
            return None
        mean = round(self.total / self.count, 2)
        return {"min": self.least, "max": self.greatest, "mean": mean}


class _Numbers:
    """The range of a column whose every value is a number."""

    def __init__(self) -> None:
        self._range: _Range | None = _Range()

    def add(self, values: Mapping[str, int]) -> None:
        if self._range is None:
            return
        try:
            numbers = list(map(float, values))
        except ValueError:
            self._range = None
            return
        if all(map(math.isfinite, numbers)):
            self._range.add(numbers, values.values())

    def copy(self) -> "_Numbers":
        return copy.deepcopy(self)

    def to_json(self) -> dict[str, float] | None:
        """Return the range with three significant digits: a whole account number is a value."""
        found = self._range.to_json() if self._range else None
        return {name: float(f"{n:.3g}") for name, n in found.items()} if found else None


class _Months:
    """The range of a column whose every value is an ISO date or time, to the month.

    A day would be somebody's value: a birthday, say.
    """

    def __init__(self) -> None:
        self._first: str | None = None
        self._last = ""
        self._dated = True

    def add(self, values: Iterable[str]) -> None:
        if not self._dated:
            return
        for value in values:
            if not (_DATE.fullmatch(value) or _TIMESTAMP.fullmatch(value)):
                self._dated = False
                return
            month = value[:7]
            if self._first is None or month < self._first:
                self._first = month
            if month > self._last:
                self._last = month

    def copy(self) -> "_Months":
        return copy.copy(self)

    def to_json(self) -> dict[str, str] | None:
        if not self._dated or self._first is None:
            return None
        return {"min": self._first, "max": self._last}


def _shortened(values: Counter[str | None]) -> Mapping[str, int]:
    """Return the values no longer than the classifiers take."""
    texts: dict[str, int] = {value: count for value, count in values.items() if value is not None}
    if not texts or max(map(len, texts)) <= LONGEST_VALUE:
        return texts
    shortened: Counter[str] = Counter()
    for value, count in texts.items():
        shortened[value[:LONGEST_VALUE]] += count
    return shortened
