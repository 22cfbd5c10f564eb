"""What changed between scans of a source."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, delete, insert, select
from sqlalchemy.orm import Session

from models.stores.paging import Page, page
from models.stores.scans import Scan
from models.tables.base import now
from models.tables.scans import DriftEvent
from racine.ids import new_id

__all__ = ["DriftEvent"]

_ROWS = 1000


def keep(
    session: Session, scan: Scan, previous_scan_id: str, changes: Sequence[dict[str, Any]]
) -> None:
    """Store what a scan found changed since the one before; again replaces it."""
    session.execute(delete(DriftEvent).where(DriftEvent.scan_id == scan.id))
    made = now()
    rows = [
        {
            "id": new_id("drift"), "created_at": made, "workspace_id": scan.workspace_id,
            "source_id": scan.source_id, "scan_id": scan.id,
            "previous_scan_id": previous_scan_id, **change,
        }
        for change in changes
    ]  # fmt: skip
    for start in range(0, len(rows), _ROWS):
        session.execute(insert(DriftEvent), rows[start : start + _ROWS])


def listing(
    session: Session, seen: ColumnElement[bool], *, source_id: str | None = None,
    scan_id: str | None = None, aspect: str | None = None, least: float = 0.0, limit: int = 50,
    cursor: str | None = None,
) -> Page[DriftEvent]:  # fmt: skip
    """Return the changes that a condition lets through, newest first."""
    query = select(DriftEvent).where(seen, DriftEvent.magnitude >= least)
    for column, value in (
        (DriftEvent.source_id, source_id),
        (DriftEvent.scan_id, scan_id),
        (DriftEvent.aspect, aspect),
    ):
        if value is not None:
            query = query.where(column == value)
    return page(session, query, DriftEvent, limit=limit, cursor=cursor)
