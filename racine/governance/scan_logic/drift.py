"""What changed in a source between two scans: schema, volume, freshness, classification."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

VOLUME_FACTOR = 2.0
"""Growth or shrinkage of an asset's rows from which it counts as drift."""

STALE_FACTOR = 2.0
"""Growth of the age of an asset's newest data, from which on it counts as having stood still."""

STALE_AFTER = timedelta(days=1)
CONFIDENCE_STEP = 0.2
"""Change of a classification's confidence from which it counts."""


@dataclass(frozen=True)
class Shape:
    """An asset as one scan found it."""

    columns: Mapping[str, str]
    """Types by name."""
    rows: int | None = None
    seen_at: datetime | None = None
    modified: datetime | None = None
    """When its data last changed, where that is known."""
    types: Mapping[str, Mapping[str, float]] | None = None
    """Confidence by classifier by column; None where the asset was not classified."""


@dataclass(frozen=True)
class Change:
    """One thing that is not as it was."""

    aspect: str
    kind: str
    asset: str
    column: str = ""
    subject: str = ""
    before: str | None = None
    after: str | None = None
    magnitude: float = 1.0
    """From 0 to 1: the share of the asset that changed, or of the confidence."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Drift:
    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    """Of whole assets that came or went, and within those that stayed."""

    @property
    def changed(self) -> set[str]:
        """Names of the assets that are in both scans and not the same."""
        return {change.asset for change in self.changes} - {*self.added, *self.removed}

    def counts(self) -> dict[str, int]:
        """Return how many changes there are of each aspect."""
        counted = dict.fromkeys(("schema", "volume", "freshness", "classification"), 0)
        for change in self.changes:
            counted[change.aspect] += 1
        return counted


def compare(before: Mapping[str, Shape], after: Mapping[str, Shape], *, clean: bool) -> Drift:
    """Return the drift between two scans; only a clean enumeration can tell what was removed."""
    added = sorted(after.keys() - before.keys())
    removed = sorted(before.keys() - after.keys()) if clean else []
    changes = [Change("schema", "asset_added", name) for name in added]
    changes += [Change("schema", "asset_removed", name) for name in removed]
    for name in sorted(before.keys() & after.keys()):
        for aspect in (_schema, _volume, _freshness, _classification):
            changes += aspect(name, before[name], after[name])
    return Drift(added, removed, changes)


def _schema(name: str, before: Shape, after: Shape) -> Iterator[Change]:
    old, new = before.columns, after.columns
    share = round(1 / max(len(old), len(new), 1), 4)
    for column in new:
        if column not in old:
            yield Change("schema", "column_added", name, column, after=new[column][:500],
                         magnitude=share)  # fmt: skip
        elif old[column] != new[column]:
            yield Change("schema", "type_changed", name, column, before=old[column][:500],
                         after=new[column][:500], magnitude=share)  # fmt: skip
    for column in old:
        if column not in new:
            yield Change("schema", "column_removed", name, column, before=old[column][:500],
                         magnitude=share)  # fmt: skip


def _volume(name: str, before: Shape, after: Shape) -> Iterator[Change]:
    if before.rows is None or after.rows is None or before.rows == after.rows:
        return
    least, most = sorted((before.rows, after.rows))
    if most >= VOLUME_FACTOR * max(least, 1):
        yield Change("volume", "volume_changed", name, before=str(before.rows),
                     after=str(after.rows), magnitude=round(1 - least / most, 4))  # fmt: skip


def _freshness(name: str, before: Shape, after: Shape) -> Iterator[Change]:
    if not (before.modified and after.modified and before.seen_at and after.seen_at):
        return
    old, new = before.modified.isoformat(), after.modified.isoformat()
    if after.modified < before.modified:
        yield Change("freshness", "went_back", name, before=old, after=new)
        return
    was, age = before.seen_at - before.modified, after.seen_at - after.modified
    if age >= STALE_AFTER and age >= STALE_FACTOR * was:
        yield Change("freshness", "stood_still", name, before=old, after=new,
                     magnitude=round(1 - max(was / age, 0.0), 4))  # fmt: skip


def _classification(name: str, before: Shape, after: Shape) -> Iterator[Change]:
    if before.types is None or after.types is None:
        return
    for column in before.columns.keys() & after.columns.keys():
        old, new = before.types.get(column, {}), after.types.get(column, {})
        for subject in sorted({*old, *new}):
            was, is_ = old.get(subject), new.get(subject)
            if abs((was or 0.0) - (is_ or 0.0)) < (CONFIDENCE_STEP if was and is_ else 0.0001):
                continue
            kind = "type_lost" if is_ is None else "type_found" if was is None else "confidence"
            yield Change(
                "classification", kind, name, column, subject,
                None if was is None else f"{was:.2f}", None if is_ is None else f"{is_:.2f}",
                round(abs((was or 0.0) - (is_ or 0.0)), 4),
            )  # fmt: skip
