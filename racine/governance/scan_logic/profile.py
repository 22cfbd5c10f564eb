"""Profiles a column in one pass over its values, in bounded memory, keeping none of them."""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Evidence = dict[str, Any]

DISTINCT_LIMIT = 50_000
"""Distinct values of one column held at a time."""

VALUES_LIMIT = 600_000
"""Distinct values of one table held at a time."""

LONGEST_VALUE = 4096
"""Characters of a value that the classifiers see."""

_SHAPES_PER_ROUND = 500
_SHAPES_KEPT = 5
_LONGEST_SHAPE = 40
_HASHES = 2048
"""Smallest hashes kept to estimate a distinct count (k minimum values; error about 1/sqrt(k))."""

_CLASSES = {code: "9" for code in range(ord("0"), ord("9") + 1)}
_CLASSES |= {code: "a" for code in range(ord("a"), ord("z") + 1)}
_CLASSES |= {code: "A" for code in range(ord("A"), ord("Z") + 1)}


class ColumnProfile:
    """Takes a column's values batch by batch and keeps counts, shapes and evidence alone.

    Values are counted in rounds: when a round holds too many distinct ones, they are put to the
    classifiers and dropped. `gather` makes evidence of a round, `merge` joins two rounds'.
    """

    def __init__(
        self,
        gather: Callable[[Mapping[str, int]], Evidence],
        merge: Callable[[Evidence, Evidence], Evidence],
        *,
        blank_is_null: bool,
        limit: int = DISTINCT_LIMIT,
    ) -> None:
        self._gather, self._merge, self._limit = gather, merge, limit
        self._blank_is_null = blank_is_null
        self._round: Counter[str | None] = Counter()
        self._evidence: Evidence | None = None
        self._sketch = _DistinctSketch()
        self._lengths = _Range()
        self._numbers: _Range | None = _Range()
        self._shapes: Counter[str] = Counter()
        self._types: set[str] = set()
        self.values = self.nulls = self.blanks = 0

    def add(self, values: Iterable[str | None]) -> None:
        self._round.update(values)
        if len(self._round) > self._limit:
            self.end_round()

    def end_round(self) -> None:
        """Put the round's values to the classifiers and drop them."""
        if not self._round and self._evidence is not None:
            return
        seen, self._round = self._round, Counter()
        self.nulls += seen.pop(None, 0)
        blanks = seen.pop("", 0)
        self.blanks += blanks
        if self._blank_is_null:
            self.nulls += blanks
        elif blanks:
            self.values += blanks
        values: Mapping[str, int] = _shortened(seen)
        self._learn(values)
        evidence = self._gather(values)
        known = self._evidence
        self._evidence = evidence if known is None else self._merge(known, evidence)

    def result(self) -> tuple[dict[str, Any], Evidence]:
        """Return the profile and the evidence, both without a value."""
        self.end_round()
        assert self._evidence is not None
        distinct, exact = self._sketch.estimate()
        profile: dict[str, Any] = {
            "values": self.values, "nulls": self.nulls, "distinct": distinct,
            "distinct_exact": exact, "type": self.type, "length": self._lengths.to_json(),
            "patterns": self._patterns(),
        }  # fmt: skip
        if self._numbers and self._numbers.count:
            profile["number"] = self._numbers.to_json(rounded=True)
        return profile, self._evidence

    @property
    def type(self) -> str:
        """What all values can be read as: integer, number, boolean, date, timestamp or text."""
        types = self._types
        if len(types) == 1:
            return next(iter(types))
        if types == {"integer", "number"}:
            return "number"
        if types == {"date", "timestamp"}:
            return "timestamp"
        return "text"

    def _learn(self, values: Mapping[str, int]) -> None:
        self.values += sum(values.values())
        self._sketch.add(values)
        self._lengths.add(((len(value), count) for value, count in values.items()))
        self._learn_numbers(values)
        self._learn_shapes(values)

    def _learn_numbers(self, values: Mapping[str, int]) -> None:
        if self._numbers is None:
            return
        try:
            numbers = [(float(value), count) for value, count in values.items()]
        except ValueError:
            self._numbers = None
            return
        self._numbers.add((n, count) for n, count in numbers if math.isfinite(n))

    def _learn_shapes(self, values: Mapping[str, int]) -> None:
        # An even step over the round: neighbours in a file are often alike.
        step = max(1, len(values) // _SHAPES_PER_ROUND)
        for value in list(values)[::step]:
            self._shapes[shape(value)] += values[value]
            self._types.add(type_of(value))
        if len(self._shapes) > 10 * _SHAPES_PER_ROUND:
            self._shapes = Counter(dict(self._shapes.most_common(_SHAPES_PER_ROUND)))

    def _patterns(self) -> list[dict[str, Any]]:
        total = max(self._shapes.total(), 1)
        common = self._shapes.most_common(_SHAPES_KEPT)
        return [{"shape": shape, "share": round(count / total, 3)} for shape, count in common]


def shape(value: str) -> str:
    """Return a value with its letters and digits masked: `Jo 1` is `Aa 9`."""
    return "".join(
        char if not char.isalnum() else "x"
        for char in value[:_LONGEST_SHAPE].translate(_MARKED)
    ).translate(_UNMARKED)


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

    def add(self, numbers: Iterable[tuple[float, int]]) -> None:
        for number, count in numbers:
            self.count += count
            self.total += number * count
            if number < self.least:
                self.least = number
            if number > self.greatest:
                self.greatest = number

    def to_json(self, *, rounded: bool = False) -> dict[str, float] | None:
        if not self.count:
            return None
        least, greatest, mean = self.least, self.greatest, self.total / self.count
        if rounded:
            least, greatest, mean = _rounded(least), _rounded(greatest), _rounded(mean)
        return {"min": least, "max": greatest, "mean": mean if rounded else round(mean, 2)}


def _rounded(number: float) -> float:
    """Return three significant digits: a whole card, phone or account number is a value."""
    return float(f"{number:.3g}")


class _DistinctSketch:
    """Counts distinct values: exactly in the first round, by k minimum values after it."""

    def __init__(self) -> None:
        self._exact = 0
        self._rounds = 0
        self._pending: Mapping[str, int] | None = None
        self._least: set[int] = set()
        self._bound = 1 << 61

    def add(self, values: Mapping[str, int]) -> None:
        self._rounds += 1
        self._exact = len(values)
        bound = self._bound
        self._least.update(found for found in _hashes(values) if found < bound)
        if len(self._least) > _HASHES:
            kept = sorted(self._least)[:_HASHES]
            self._least, self._bound = set(kept), kept[-1]

    def estimate(self) -> tuple[int, bool]:
        """Return the count and whether it is exact."""
        if self._rounds <= 1:
            return self._exact, True
        if len(self._least) < _HASHES:
            return len(self._least), True
        return round((_HASHES - 1) * (1 << 61) / self._bound), False


def _hashes(values: Iterable[str]) -> Iterable[int]:
    """Return hashes spread over 61 bits by the process's own secret key (SipHash)."""
    mask = (1 << 61) - 1
    return (hash(value) & mask for value in values)


def _shortened(values: Counter[str | None]) -> Mapping[str, int]:
    """Return the values no longer than the classifiers take."""
    texts: dict[str, int] = {value: count for value, count in values.items() if value is not None}
    if not texts or max(map(len, texts)) <= LONGEST_VALUE:
        return texts
    shortened: Counter[str] = Counter()
    for value, count in texts.items():
        shortened[value[:LONGEST_VALUE]] += count
    return shortened
