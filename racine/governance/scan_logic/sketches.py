"""Mergeable summaries of a column that hold none of its values.

Each takes counts of distinct values, merges with another of its kind, and gives the same answer for
parts merged as for the whole, within the error it names. All are deterministic and value-free by
construction, which the libraries' quantile sketches (KLL, t-digest: they keep items) are not.
"""

import base64
import heapq
import math
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import compress, repeat
from operator import truediv
from typing import Any

Coder = Callable[[Sequence[bytes], Sequence[int]], Sequence[int]]
"""Gives each encoded value 64 bits that nobody without a secret can tell from random ones.

It takes their CRC-32 beside them, which their sampling needs too.
"""

_CODES = 2**64

CODES_HELD = 1024
"""Keyed hashes of a column while it is scanned, unless its table is very wide."""


class Distinct:
    """The least `k` keyed hashes: how many distinct values, and how two columns overlap.

    Exact below `k`; beyond it the relative standard error is 1/sqrt(k - 2), 3.1 % for 1,024
    (Beyer et al., On Synopses for Distinct-Value Estimation, SIGMOD 2007).
    """

    def __init__(self, k: int = CODES_HELD, codes: Iterable[int] = ()) -> None:
        self.k = k
        self._codes = _packed(codes, k)

    def add(self, codes: Iterable[int]) -> None:
        limit = self._codes[-1] if len(self._codes) == self.k else _CODES
        fresh = {code for code in codes if code < limit}
        if fresh:
            self._codes = _packed(fresh.union(self._codes), self.k)

    def merge(self, other: "Distinct") -> None:
        self.k = min(self.k, other.k)
        self._codes = _packed({*self._codes, *other._codes}, self.k)

    def reduced(self, k: int) -> "Distinct":
        """Return the same with fewer hashes, for keeping."""
        return Distinct(min(k, self.k), self._codes)

    @property
    def exact(self) -> bool:
        return len(self._codes) < self.k

    def count(self) -> int:
        if self.exact:
            return len(self._codes)
        share = (self._codes[-1] + 1) / _CODES
        return round((self.k - 1) / share)

    def overlap(self, other: "Distinct") -> float:
        """Return the share of common values among both columns' values (Jaccard's index)."""
        k = min(self.k, other.k)
        together = sorted({*self._codes, *other._codes})[:k]
        both = {*self._codes} & {*other._codes}
        return sum(code in both for code in together) / len(together) if together else 0.0

    def to_json(self) -> dict[str, Any]:
        return {"k": self.k, "codes": base64.b64encode(self._codes.tobytes()).decode()}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Distinct":
        return cls(stored["k"], array("Q", base64.b64decode(stored["codes"])))


def _packed(codes: Iterable[int], k: int) -> "array[int]":
    """Return the least codes in eight bytes each: a wide table holds millions of them."""
    return array("Q", sorted(codes)[:k])


class Frequent:
    """The commonest items with counts that are too low by at most total / (size + 1).

    Misra-Gries; merging keeps the bound (Agarwal et al., Mergeable Summaries, PODS 2012).
    """

    def __init__(self, size: int, counts: Mapping[str, int] | None = None) -> None:
        self.size = size
        self._counts = Counter(counts or {})

    def add(self, counts: Mapping[str, int]) -> None:
        self._counts.update(counts)
        if len(self._counts) > self.size:
            cut = heapq.nlargest(self.size + 1, self._counts.values())[-1]
            self._counts = Counter({i: n - cut for i, n in self._counts.items() if n > cut})

    def merge(self, other: "Frequent") -> None:
        self.add(other._counts)

    def top(self, count: int | None = None) -> list[tuple[str, int]]:
        """Return items with their counts, greatest first; equal ones in their own order."""
        return sorted(self._counts.items(), key=lambda item: (-item[1], item[0]))[:count]

    def to_json(self) -> list[list[Any]]:
        return [[item, count] for item, count in self.top()]

    @classmethod
    def from_json(cls, size: int, stored: Iterable[Sequence[Any]]) -> "Frequent":
        return cls(size, {str(item): int(count) for item, count in stored})


_GAMMA = 1.02
_LOG = math.log(_GAMMA)
_BUCKETS = 1000
_ZERO = 1e-12
"""Absolute values up to here count as zero."""


class Quantiles:
    """Counts of numbers by their magnitude: any quantile to 1 % of its value.

    Buckets are 2 % wide (Masson et al., DDSketch, VLDB 2019); where there would be more than 1,000,
    every two become one (Epicoco et al., UDDSketch, 2020), and the error doubles.
    """

    def __init__(self, level: int = 0, counts: Mapping[int, int] | None = None) -> None:
        self.level = level
        self._counts = Counter(counts or {})

    def add(self, numbers: Sequence[float], counts: Sequence[int]) -> None:
        found = self._counts
        for sign, sizes, times in _by_sign(numbers, counts):
            if not sign:
                found[0] += sum(times)
                continue
            for step, count in _steps(sizes, times).items():
                found[sign * ((step >> self.level) + _SHIFT)] += count
        self._narrow()

    def merge(self, other: "Quantiles") -> None:
        level = max(self.level, other.level)
        mine, theirs = _raised(self, level), _raised(other, level)
        self.level, self._counts = level, Counter(mine) + Counter(theirs)
        self._narrow()

    def at(self, share: float) -> float | None:
        """Return the number below which that share lies, None where there is none."""
        wanted, passed = share * max(self._counts.total() - 1, 0), 0
        for bucket in sorted(self._counts):
            passed += self._counts[bucket]
            if passed > wanted:
                return _middle(bucket, self.level)
        return None

    def _narrow(self) -> None:
        while len(self._counts) > _BUCKETS:
            self._counts = Counter(_raised(self, self.level + 1))
            self.level += 1

    def to_json(self) -> dict[str, Any]:
        return {"level": self.level, "counts": sorted(self._counts.items())}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Quantiles":
        return cls(stored["level"], {int(place): int(count) for place, count in stored["counts"]})


_SHIFT = 1 << 20
"""Added to a bucket's exponent, so that the sign of the number is the sign of the bucket."""


def _by_sign(
    numbers: Sequence[float], counts: Sequence[int]
) -> Iterator[tuple[int, Sequence[float], Sequence[int]]]:
    """Yield the sign, the sizes and the counts of positive, of negative and of no numbers."""
    if min(numbers, default=0.0) > _ZERO:
        yield 1, numbers, counts
        return
    signs = [(number > _ZERO) - (number < -_ZERO) for number in numbers]
    for sign in set(signs):
        alike = [one == sign for one in signs]
        yield sign, list(map(abs, compress(numbers, alike))), list(compress(counts, alike))


def _steps(sizes: Iterable[float], counts: Sequence[int]) -> Mapping[int, int]:
    """Count sizes by steps of 2 %; what is done to each number is done by C."""
    steps = map(math.ceil, map(truediv, map(math.log, sizes), repeat(_LOG)))
    if max(counts, default=1) == 1:
        return Counter(steps)
    found: Counter[int] = Counter()
    for step, count in zip(steps, counts, strict=True):
        found[step] += count
    return found


def _raised(sketch: Quantiles, level: int) -> Counter[int]:
    raised: Counter[int] = Counter()
    steps = level - sketch.level
    for bucket, count in sketch._counts.items():
        sign = (bucket > 0) - (bucket < 0)
        raised[sign * (((abs(bucket) - _SHIFT) >> steps) + _SHIFT) if sign else 0] += count
    return raised


def _middle(bucket: int, level: int) -> float:
    if bucket == 0:
        return 0.0
    width, place = 1 << level, abs(bucket) - _SHIFT
    high = (place + 1) * width - 1
    size = 2 * _exp(high) * _exp(high - width) / (_exp(high) + _exp(high - width))
    return math.copysign(size, bucket)


def _exp(place: int) -> float:
    return math.exp(min(place * _LOG, 700.0))
