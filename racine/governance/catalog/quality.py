"""Completeness, uniqueness and validity from the profiles of columns, each with what it counts.

The dimensions are those of ISO/IEC 25012; a share with nothing to count is None, never 100 %.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Profiled:
    """A column's profile (`values`, `nulls`, `distinct`), evidence and classifications in force."""

    profile: Mapping[str, Any]
    classifications: Sequence[Mapping[str, Any]] = ()
    primary_key: bool = False


@dataclass(frozen=True)
class Quality:
    filled: int
    cells: int
    distinct: int
    keyed: int
    """Filled cells of the key columns."""
    key_columns: int
    valid: float
    judged: int

    @property
    def completeness(self) -> float | None:
        return _share(self.filled, self.cells)

    @property
    def uniqueness(self) -> float | None:
        return _share(self.distinct, self.keyed)

    @property
    def validity(self) -> float | None:
        return _share(self.valid, self.judged)


def of_columns(columns: Iterable[Profiled]) -> Quality:
    """Measure a table by its columns."""
    return together([_of_column(column) for column in columns])


def together(parts: Sequence[Quality]) -> Quality:
    """Add up what parts counted."""
    return Quality(
        filled=sum(part.filled for part in parts),
        cells=sum(part.cells for part in parts),
        distinct=sum(part.distinct for part in parts),
        keyed=sum(part.keyed for part in parts),
        key_columns=sum(part.key_columns for part in parts),
        valid=sum(part.valid for part in parts),
        judged=sum(part.judged for part in parts),
    )


def _of_column(column: Profiled) -> Quality:
    values = int(column.profile.get("values", 0))
    nulls = int(column.profile.get("nulls", 0))
    key = column.primary_key and bool(column.profile.get("distinct_exact", True))
    share, sampled = _validity(column.classifications)
    return Quality(
        filled=values,
        cells=values + nulls,
        distinct=min(int(column.profile.get("distinct", 0)), values) if key else 0,
        keyed=values if key else 0,
        key_columns=int(key),
        valid=share * sampled,
        judged=sampled,
    )


def _validity(classifications: Sequence[Mapping[str, Any]]) -> tuple[float, int]:
    """Return the share of sampled distinct values that the best classification's check accepts."""
    for found in classifications[:1]:
        checked = found.get("evidence", {}).get("checked")
        if checked:
            return checked["accepted"] / checked["sampled"], int(checked["sampled"])
    return 0.0, 0


def _share(part: float, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
