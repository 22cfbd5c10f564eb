"""What a call's expressions may name, with what travelled by reference in place."""

import json
from typing import Any

from sqlalchemy.orm import Session

from models.stores import blobs, pages
from racine import items
from racine.errors import NotFound


def named(session: Session, workspace_id: str, names: dict[str, Any]) -> dict[str, Any]:
    """Return the names with items of loops and large values; raise NotFound for what is gone."""

    def load(ref: str, index: int) -> Any:
        found = pages.find(session, workspace_id, ref)
        if found is None or index >= found.count:
            raise NotFound(f"There is no item {index} behind {ref!r}.")
        return pages.stretch(session, workspace_id, found, index, 1)[0]

    found = items.loaded(names, load)
    for key, view in found.get("tasks", {}).items():
        if "ref" in view:
            found["tasks"] = {**found["tasks"], key: _whole(session, workspace_id, view)}
    return found


def _whole(session: Session, workspace_id: str, view: dict[str, Any]) -> dict[str, Any]:
    """Return a task with those of its values that are too large to travel."""
    kept = json.loads(blobs.get(session, workspace_id, view["ref"]).content)
    rest = {name: part for name, part in view.items() if name != "ref"}
    return {**rest, "values": {**kept, **view["values"]}}
