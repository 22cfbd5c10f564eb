"""When a sample is too small to tell: a type whose confidence lies near where it would count."""

from collections.abc import Iterable
from typing import Protocol

GROWTH = 3
"""Times the sample that is read instead, once: from 1,000 rows to 3,000, as a share's error falls
from three per cent to under two."""

_LEAST, _MOST = 0.35, 0.7
"""Confidence between which a type is near its limit: our own band around the learned thresholds."""


class Judged(Protocol):
    """A type with its confidence."""

    @property
    def id(self) -> str: ...
    @property
    def confidence(self) -> float: ...


def near_limit(applied: Iterable[Judged], candidates: Iterable[Judged]) -> dict[str, float]:
    """Return the types near their limit with their confidence: few, or none where one is sure."""
    applied, candidates = list(applied), list(candidates)
    if any(item.confidence > _MOST for item in applied):
        return {}
    near = [item for item in (*applied, *candidates) if _LEAST <= item.confidence <= _MOST]
    return {item.id: item.confidence for item in near[:3]}
