"""What a call's expressions may name, with the items of its loops in place."""

from typing import Any

from sqlalchemy.orm import Session

from models.stores import pages
from racine import items
from racine.errors import NotFound


def named(session: Session, workspace_id: str, names: dict[str, Any]) -> dict[str, Any]:
    """Return the names with the items that travelled by reference; raise NotFound for one gone."""

    def load(ref: str, index: int) -> Any:
        found = pages.find(session, workspace_id, ref)
        if found is None or index >= found.count:
            raise NotFound(f"There is no item {index} behind {ref!r}.")
        return pages.stretch(session, workspace_id, found, index, 1)[0]

    return items.loaded(names, load)
