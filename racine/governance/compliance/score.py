"""How well a scope stands: what passes of what could be decided, weighted by severity.

Unknown is counted apart and never as passed: a score comes with the share that was decided.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from racine.governance.compliance.controls import SEVERITY_WEIGHT


@dataclass(frozen=True)
class Count:
    """How subjects stood to one control."""

    framework: str
    control: str
    severity: str
    passed: int
    failed: int
    unknown: int
    waived: int


@dataclass(frozen=True)
class Score:
    """`score` and `decided` are percentages, None where nothing was there to count."""

    framework: str
    score: float | None
    decided: float | None
    passed: int
    failed: int
    unknown: int
    waived: int
    worst: tuple[str, ...]
    """The failed controls that would raise the score most, first the heaviest."""


def scores(counts: Iterable[Count]) -> list[Score]:
    """Return one score for each framework, by name."""
    by_framework: dict[str, list[Count]] = {}
    for count in counts:
        by_framework.setdefault(count.framework, []).append(count)
    return [_score(name, found) for name, found in sorted(by_framework.items())]


def _score(framework: str, found: list[Count]) -> Score:
    passed, failed = _weighted(found, "passed"), _weighted(found, "failed")
    excused = _weighted(found, "waived")
    judged = passed + failed + excused
    everything = judged + _weighted(found, "unknown")
    costs: dict[str, int] = {}
    for count in found:
        lost = count.failed * SEVERITY_WEIGHT[count.severity]
        costs[count.control] = costs.get(count.control, 0) + lost
    worst = sorted((c for c, cost in costs.items() if cost), key=lambda c: (-costs[c], c))
    return Score(
        framework,
        _percent(passed, passed + failed),
        _percent(judged, everything),
        sum(c.passed for c in found),
        sum(c.failed for c in found),
        sum(c.unknown for c in found),
        sum(c.waived for c in found),
        tuple(worst[:5]),
    )


def _weighted(found: Iterable[Count], which: str) -> int:
    return sum(getattr(count, which) * SEVERITY_WEIGHT[count.severity] for count in found)


def _percent(part: int, whole: int) -> float | None:
    return round(100 * part / whole, 1) if whole else None
