"""Profiles a column in one pass over its values, in bounded memory, keeping none of them."""

import re
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import compress
from operator import not_
from typing import Any

from racine.governance.scan_logic.column_sketch import (
    DATE,
    TIMESTAMP,
    ColumnSketch,
    KeptSketches,
)
from racine.governance.scan_logic.sketches import Coder

DISTINCT_LIMIT = 50_000
"""Distinct values of one column held at a time."""

VALUES_LIMIT = 600_000
"""Distinct values of one table held at a time."""

CHARACTERS_LIMIT = 64 << 20
"""Characters of one table held at a time, about."""

LONGEST_VALUE = 4096
"""Characters of a value that the classifiers see."""

_HASH_BITS = 32
_AT_ONCE = 512
_WINDOW = 4096
"""Distinct values after which a column of many is sifted: while the processor's cache has them."""
_SHAPES_READ = 2000
_LONGEST_SHAPE = 40

_CLASSES = dict.fromkeys(range(ord("0"), ord("9") + 1), "9")
_CLASSES |= dict.fromkeys(range(ord("a"), ord("z") + 1), "a")
_CLASSES |= dict.fromkeys(range(ord("A"), ord("Z") + 1), "A")


class ColumnProfile:
    """Takes a column's values batch by batch; knows counts, ranges and shapes of all of them.

    What the classifiers see is all distinct values up to `limit`, and beyond it an even sample of
    the distinct values with their true counts: one level more of the hash must be zero whenever
    there are too many (P. Gibbons, Distinct Sampling, VLDB 2001). Its size also estimates how many
    there are. With a secret `code` it also makes the sketches that are worth keeping.
    """

    def __init__(
        self,
        *,
        blank_is_null: bool,
        limit: int = DISTINCT_LIMIT,
        characters: int = CHARACTERS_LIMIT,
        code: Coder | None = None,
    ) -> None:
        self._blank_is_null, self._limit = blank_is_null, limit
        self._characters = characters
        self._longest_mean = 1
        self._fresh: Counter[str | None] = Counter()
        self._held: Counter[str | None] = Counter()
        self._level = 0
        self._code = code
        kept = None if code is None else KeptSketches.of_values(limit)
        self._found = ColumnSketch(kept=kept)
        self.blanks = self.rows = self.bytes = 0

    def add(self, values: Sequence[str | None]) -> None:
        self._fresh.update(values)
        mean = self._mean_length(values)
        self.rows += len(values)
        self.bytes += mean * len(values)
        room = min(self._limit, self._characters // self._longest_mean)
        if len(self._fresh) > (min(room, _WINDOW) if self._level else room):
            self._sift(room // 4)

    def sample(self) -> Mapping[str, int]:
        """Return the distinct values for the classifiers, each with its count."""
        if self._level:
            self._sift(len(self._fresh) + len(self._held))
        else:
            self._count_blanks()
            self._held.update(self._fresh)
            self._fresh.clear()
        return _shortened(self._held)

    def sketch(self, sample: Mapping[str, int]) -> ColumnSketch:
        """Return all that is known, which holds no value; `sample` is what `sample()` gave.

        It ends the profile: nothing is added to it afterwards.
        """
        found = self._found
        distinct, exact = len(self._held) << self._level, self._level == 0
        held = [*self._held]  # the sample's longest values are cut
        data = encoded(held) if self._code else []
        self._take(held, [*self._held.values()], data, list(map(zlib.crc32, data)))
        found.distinct, found.exact = distinct, exact
        shapes, types = _shapes(sample)
        found.shapes.add(shapes)
        found.types |= types
        return found

    def _mean_length(self, values: Sequence[str | None]) -> int:
        """Return the mean length of a batch, judged by some of its values."""
        lengths = [len(value) for value in values[:: len(values) // 50 + 1] if value]
        mean = sum(lengths) // len(lengths) if lengths else 0
        self._longest_mean = max(self._longest_mean, mean)
        return mean

    def _count_blanks(self) -> None:
        nulls = self._fresh.pop(None, 0)
        blanks = self._fresh.pop("", 0)
        self.blanks += blanks
        if self._blank_is_null:
            nulls += blanks
        else:
            self._found.values += blanks
        self._found.nulls += nulls

    def _sift(self, room: int) -> None:
        """Hold the fresh values whose hash is of the level; count and measure the others.

        The level is raised until there is room.
        """
        self._count_blanks()
        values, counts = [*self._fresh], [*self._fresh.values()]
        data = encoded(values)
        hashes = list(map(zlib.crc32, data))
        drops = self._beyond(hashes)
        while drops.count(0) > room and self._level < _HASH_BITS:
            self._level += 1
            drops = self._beyond(hashes)
        self._held.update(dict(compress(self._fresh.items(), map(not_, drops))))
        self._fresh = Counter()
        self._take(
            list(compress(values, drops)), list(compress(counts, drops)),
            list(compress(data, drops)), list(compress(hashes, drops)),
        )  # fmt: skip
        if len(self._held) > room and self._level < _HASH_BITS:
            self._level += 1
            self._held, self._fresh = Counter(), self._held
            self._sift(room)

    def _beyond(self, hashes: Iterable[int]) -> list[int]:
        """Return for each hash 0 where it is of the level."""
        mask = (1 << self._level) - 1
        return [hashed & mask for hashed in hashes]

    def _take(
        self, values: Sequence[Any], counts: Sequence[int],
        data: Sequence[bytes], hashes: Sequence[int],
    ) -> None:  # fmt: skip
        """Count and measure distinct values; what is dropped comes once, what stays at the end."""
        found = self._found
        found.values += sum(counts)
        found.lengths.add(list(map(len, values)), counts)
        found.months.add(values)
        numbers = found.numbers.add(values, counts)
        if found.kept is not None and self._code is not None:
            found.kept.add(self._code(data, hashes), counts, numbers)


def encoded(values: Sequence[Any]) -> list[bytes]:
    """Return texts as UTF-8, some hundreds at once: five times as fast as one by one.

    Another process, which scans the same data, gets the same: hash() would not do.
    """
    found: list[bytes] = []
    for start in range(0, len(values), _AT_ONCE):
        texts = values[start : start + _AT_ONCE]
        data = "\0".join(texts).encode("utf-8", "surrogatepass").split(b"\0")
        if len(data) != len(texts):  # a value holds the separator
            data = [text.encode("utf-8", "surrogatepass") for text in texts]
        found += data
    return found


def _shapes(sample: Mapping[str, int]) -> tuple[Counter[str], set[str]]:
    """Return the shapes with their counts, and the types, of an even part of a sample."""
    shapes, types = Counter[str](), set[str]()
    step = max(1, len(sample) // _SHAPES_READ)
    for value in list(sample)[::step]:
        shapes[shape(value)] += sample[value]
        types.add(type_of(value))
    return shapes, types


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

_TYPED = frozenset("0123456789+-.tTfF")
"""What values other than text begin with, where it is ASCII."""
_INTEGER = re.compile(r"[-+]?(0|[1-9]\d{0,17})")
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")


def type_of(value: str) -> str:
    """Return what one value can be read as; digits after a leading zero are text."""
    if value[:1].isascii() and value[:1] not in _TYPED:
        return "text"
    if _INTEGER.fullmatch(value):
        return "integer"
    if _NUMBER.fullmatch(value):
        return "text" if len(value) > 1 and value[0] == "0" and value[1].isdigit() else "number"
    if value.lower() in ("true", "false"):
        return "boolean"
    if DATE.fullmatch(value):
        return "date"
    return "timestamp" if TIMESTAMP.fullmatch(value) else "text"


def _shortened(values: Counter[str | None]) -> Mapping[str, int]:
    """Return the values no longer than the classifiers take."""
    texts: dict[str, int] = {value: count for value, count in values.items() if value is not None}
    if not texts or max(map(len, texts)) <= LONGEST_VALUE:
        return texts
    shortened: Counter[str] = Counter()
    for value, count in texts.items():
        shortened[value[:LONGEST_VALUE]] += count
    return shortened
