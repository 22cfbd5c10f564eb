"""What changed in a source between two scans."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

VOLUME_FACTOR = 2.0
"""Growth or shrinkage of an asset's rows from which it counts as drift."""


@dataclass(frozen=True)
class Shape:
    """An asset as one scan found it: its columns' types by name, and its rows."""

    columns: Mapping[str, str]
    rows: int | None = None


@dataclass(frozen=True)
class Drift:
    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    changed: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """By asset, each change with its `kind` and what it was and is."""

    def to_json(self) -> dict[str, Any]:
        return {"added": self.added, "removed": self.removed, "changed": self.changed}


def compare(before: Mapping[str, Shape], after: Mapping[str, Shape], *, clean: bool) -> Drift:
    """Return the drift between two scans; only a clean enumeration can tell what was removed."""
    changed = {
        name: found
        for name in sorted(before.keys() & after.keys())
        if (found := _changes(before[name], after[name]))
    }
    removed = sorted(before.keys() - after.keys()) if clean else []
    return Drift(sorted(after.keys() - before.keys()), removed, changed)


def _changes(before: Shape, after: Shape) -> list[dict[str, Any]]:
    old, new = before.columns, after.columns
    changes: list[dict[str, Any]] = [
        *({"kind": "column_added", "column": name} for name in new if name not in old),
        *({"kind": "column_removed", "column": name} for name in old if name not in new),
        *(
            {"kind": "type_changed", "column": name, "before": old[name], "after": new[name]}
            for name in new
            if name in old and old[name] != new[name]
        ),
    ]
    if _volume_changed(before.rows, after.rows):
        changes.append({"kind": "volume_changed", "before": before.rows, "after": after.rows})
    return changes


def _volume_changed(before: int | None, after: int | None) -> bool:
    if before is None or after is None or before == after:
        return False
    least, most = sorted((before, after))
    return most >= VOLUME_FACTOR * max(least, 1)
