"""Reads the files of a set as one asset, each by its own schema."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import accumulate

from activities.connectors.files import sets
from activities.connectors.files.formats import format_of
from activities.connectors.files.grouping import single
from activities.connectors.files.store import File
from activities.connectors.protocol import Asset, Batch, Part, Position, Sample, Values
from activities.connectors.rows import blocks
from racine.errors import SourceFault

_NAMED = 5
"""Files of a set that are named when they cannot be read; further ones are counted."""

_COUNTED = 20
"""Files of a set whose rows are counted to estimate how many it has."""

Open = Callable[[Part], File]


def read(asset: Asset, sample: Sample, after: Position | None, opened: Open) -> Iterator[Batch]:
    """Yield the rows of a set; positions are `place@file`, the place as the file's format has it.

    A file that cannot be read is told among what was irregular; raises SourceFault when none can.
    """
    broken: dict[str, str] = {}
    some, known = False, _Known()
    plan = _all(asset, after) if sample.rows is None else _drawn(asset, sample)
    for part, wanted, start in plan:
        try:
            file = opened(part)
            for batch in _part(asset, file, known.asset(file), wanted, start):
                some = True
                yield batch
        except SourceFault as fault:
            broken[part.name] = fault.message
            if not some and len(broken) == len(asset.parts):
                raise
    if broken:
        yield Batch([()] * len(asset.columns), 0, irregular=_told(broken))


def count(asset: Asset, opened: Open) -> int | None:
    """Return about how many rows a set has, from some of its files and the size of all."""
    parts = asset.parts
    step = max(1, len(parts) // _COUNTED)
    rows = size = 0
    known = _Known()
    for part in parts[::step]:
        try:
            file = opened(part)
            found = format_of(part.name).count(file, known.asset(file))
        except SourceFault:
            continue
        if found is not None:
            rows, size = rows + found, size + file.bytes
    return round(rows * sum(part.bytes or 0 for part in parts) / size) if size else None


def _all(asset: Asset, after: Position | None) -> Iterator[tuple[Part, Sample, Position | None]]:
    place, _, name = str(after or "").partition("@")
    for part in asset.parts:
        if part.name > name:
            yield part, Sample(), None
        elif part.name == name:
            yield part, Sample(), int(place)


def _drawn(asset: Asset, sample: Sample) -> Iterator[tuple[Part, Sample, None]]:
    """Yield files drawn by their size, with how many rows to take from each."""
    assert sample.rows is not None
    parts = asset.parts
    ends = list(accumulate(max(part.bytes or 0, 1) for part in parts))
    shares = Counter[int]()
    at = 0
    for place, _, share in blocks(0, ends[-1], sample.rows, sample.seed):
        while ends[at] <= place:
            at += 1
        shares[at] += share
    dice = random.Random(sample.seed)
    for n, rows in shares.items():
        yield parts[n], Sample(rows, dice.randrange(1 << 30)), None


class _Known:
    """What files of one header hold: found out once, however many share it."""

    def __init__(self) -> None:
        self._by_signature: dict[str, Asset] = {}

    def asset(self, file: File) -> Asset:
        """Return a file as an asset; raise SourceFault where it cannot be read."""
        format_ = format_of(file.name)
        if not format_.TOLD_BY_SIGNATURE:
            return _sound(single(file))
        signature = format_.signature(file)
        if (known := self._by_signature.get(signature)) is None:
            known = self._by_signature[signature] = _sound(single(file))
        return known


def _sound(asset: Asset) -> Asset:
    if asset.error:
        raise SourceFault(asset.error)
    return asset


def _part(
    asset: Asset, file: File, own: Asset, sample: Sample, after: Position | None
) -> Iterator[Batch]:
    places = {column.name: n for n, column in enumerate(own.columns)}
    values = sets.values(file.name)
    for batch in format_of(file.name).read(file, own, sample, after):
        columns: list[Values] = [
            batch.columns[places[column.name]] if column.name in places
            else (values.get(column.name) if column.type == "partition" else None,) * batch.rows
            for column in asset.columns
        ]  # fmt: skip
        position = None if batch.position is None else f"{batch.position}@{file.name}"
        yield replace(batch, columns=columns, position=position)


def _told(broken: dict[str, str]) -> dict[str, int]:
    named = {f"{name}: {reason}": 1 for name, reason in list(broken.items())[:_NAMED]}
    more = len(broken) - len(named)
    return named | ({"further files that cannot be read": more} if more else {})
