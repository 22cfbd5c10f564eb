"""Queries over scans and what they found."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, func, insert, select
from sqlalchemy.orm import Session

from models.stores.paging import Page, page
from models.tables.base import now
from models.tables.scans import Scan, ScanAsset, ScanColumn
from racine.errors import Conflict, NotFound
from racine.ids import new_id

__all__ = ["Scan", "ScanAsset", "ScanColumn"]

_ROWS = 1000
"""Rows of one INSERT."""


def create(
    session: Session, workspace_id: str, source_id: str, run_id: str | None, task_key: str = ""
) -> Scan:
    """Open a scan, or open anew, without what it held, the one that the same task opened before."""
    scan = session.scalar(select(Scan).where(Scan.run_id == run_id, Scan.task_key == task_key))
    if scan is None or run_id is None:
        scan = Scan(
            id=new_id("scan"), workspace_id=workspace_id, source_id=source_id, run_id=run_id,
            task_key=task_key, state="open", clean=False, settings={}, errors=[], drift={},
        )  # fmt: skip
        session.add(scan)
    else:
        session.execute(delete(ScanAsset).where(ScanAsset.scan_id == scan.id))
        scan.state, scan.clean, scan.holder, scan.ended_at = "open", False, "", None
    session.flush()
    return scan


def get(session: Session, scan_id: str, *, workspace_id: str | None = None) -> Scan:
    """Return a scan; raise NotFound when there is none, or none in the workspace."""
    scan = session.get(Scan, scan_id)
    if scan is None or workspace_id not in (None, scan.workspace_id):
        raise NotFound(f"There is no scan {scan_id!r}.", next_step="GET /api/scan-logic/scans.")
    return scan


def listing(
    session: Session, seen: ColumnElement[bool], *, source_id: str | None = None, limit: int = 50,
    cursor: str | None = None,
) -> Page[Scan]:  # fmt: skip
    """Return the scans that a condition lets through, newest first."""
    query = select(Scan).where(seen)
    if source_id:
        query = query.where(Scan.source_id == source_id)
    return page(session, query, Scan, limit=limit, cursor=cursor)


def asset_listing(
    session: Session, scan_id: str, *, state: str | None = None, limit: int = 50,
    cursor: str | None = None,
) -> Page[ScanAsset]:  # fmt: skip
    query = select(ScanAsset).where(ScanAsset.scan_id == scan_id)
    if state:
        query = query.where(ScanAsset.state == state)
    return page(session, query, ScanAsset, limit=limit, cursor=cursor)


def add_assets(
    session: Session, scan_id: str, found: Iterable[tuple[dict[str, Any], list[dict[str, Any]]]]
) -> None:
    """Store assets, each with its columns in order, in few statements however many there are."""
    assets: list[dict[str, Any]] = []
    columns: list[dict[str, Any]] = []
    for asset, of_asset in found:
        asset_id, made = new_id("sa"), now()
        assets.append({"id": asset_id, "created_at": made, "scan_id": scan_id, **asset})
        columns += [
            {"id": new_id("sc"), "created_at": made, "asset_id": asset_id, "position": n, **column}
            for n, column in enumerate(of_asset)
        ]
    for start in range(0, len(assets), _ROWS):
        session.execute(insert(ScanAsset), assets[start : start + _ROWS])
    for start in range(0, len(columns), _ROWS):
        session.execute(insert(ScanColumn), columns[start : start + _ROWS])


def assets(session: Session, scan_id: str) -> list[ScanAsset]:
    """Return the assets that the scan takes in, by name: also those that could not be read."""
    found = select(ScanAsset).where(ScanAsset.scan_id == scan_id, ScanAsset.state != "excluded")
    return list(session.scalars(found.order_by(ScanAsset.name)))


def pending(session: Session, scan_id: str) -> list[ScanAsset]:
    """Return the assets that are still to be read, by name."""
    found = select(ScanAsset).where(ScanAsset.scan_id == scan_id, ScanAsset.state == "pending")
    return list(session.scalars(found.order_by(ScanAsset.name)))


def listed_names(session: Session, scan_id: str) -> list[str]:
    """Return every name that the enumeration saw, excluded ones too: what is not here is absent."""
    return list(session.scalars(select(ScanAsset.name).where(ScanAsset.scan_id == scan_id)))


def get_asset(session: Session, scan_id: str, asset_id: str) -> ScanAsset:
    asset = session.get(ScanAsset, asset_id)
    if asset is None or asset.scan_id != scan_id:
        raise NotFound(f"The scan has no asset {asset_id!r}.")
    return asset


def columns(session: Session, asset_id: str) -> list[ScanColumn]:
    found = select(ScanColumn).where(ScanColumn.asset_id == asset_id).order_by(ScanColumn.position)
    return list(session.scalars(found))


def columns_of(session: Session, scan_id: str) -> dict[str, list[ScanColumn]]:
    """Return the columns of all of a scan's assets in one query, by asset id."""
    found = (
        select(ScanColumn)
        .join(ScanAsset, ScanAsset.id == ScanColumn.asset_id)
        .where(ScanAsset.scan_id == scan_id)
        .order_by(ScanColumn.asset_id, ScanColumn.position)
    )
    by_asset: dict[str, list[ScanColumn]] = {}
    for column in session.scalars(found):
        by_asset.setdefault(column.asset_id, []).append(column)
    return by_asset


def read_names(session: Session, source_id: str) -> list[str]:
    """Return the names of a source's assets whose values some scan has read."""
    query = (
        select(ScanAsset.name)
        .join(Scan, Scan.id == ScanAsset.scan_id)
        .where(Scan.source_id == source_id, ScanAsset.rows_read.is_not(None))
        .distinct()
    )
    return list(session.scalars(query))


def last_read(session: Session, source_id: str, name: str) -> tuple[Scan, list[ScanColumn]]:
    """Return the newest scan that read an asset of that name, and its columns.

    Raises NotFound when none did.
    """
    query = (
        select(Scan, ScanAsset.id)
        .join(ScanAsset, ScanAsset.scan_id == Scan.id)
        .where(Scan.source_id == source_id, ScanAsset.name == name)
        .where(ScanAsset.rows_read.is_not(None))
        .order_by(Scan.created_at.desc(), Scan.id.desc())
        .limit(1)
    )
    found = session.execute(query).first()
    if found is None:
        raise NotFound(f"No scan has read {name!r}.", next_step="Scan the source first.")
    scan, asset_id = found
    return scan, columns(session, asset_id)


def take(session: Session, scan_id: str, holder: str) -> Scan:
    """Make an attempt the one that may write; the one before it is refused from now on.

    A scan that was read to its end stays as it is; one that failed goes on.
    """
    scan = get(session, scan_id)
    if scan.state in ("open", "scanning", "failed"):
        scan.holder, scan.state, scan.ended_at = holder, "scanning", None
    return scan


def keep_facts(
    session: Session,
    asset_id: str,
    holder: str,
    *,
    rows: int | None,
    rows_read: int,
    limits: Sequence[str],
    found: Sequence[Mapping[str, Any]],
) -> None:
    """Store what was learned of an asset and of its columns, in order; again replaces it.

    Raises Conflict when another attempt has taken the scan over since.
    """
    asset = session.get_one(ScanAsset, asset_id)
    _fence(session, asset.scan_id, holder)
    asset.state, asset.error, asset.rows, asset.rows_read = "scanned", None, rows, rows_read
    asset.facts = {**asset.facts, "limits": list(limits)}
    for column, facts in zip(columns(session, asset_id), found, strict=True):
        for name, value in facts.items():
            setattr(column, name, value)


def keep_error(session: Session, asset_id: str, holder: str, error: str) -> None:
    """Store why an asset could not be read; raise Conflict when the attempt is not the newest."""
    asset = session.get_one(ScanAsset, asset_id)
    _fence(session, asset.scan_id, holder)
    asset.state, asset.error = "failed", error[:2000]


def close(session: Session, scan_id: str, state: str) -> None:
    scan = get(session, scan_id)
    scan.state, scan.ended_at = state, datetime.now(UTC)


def totals(session: Session, scan_id: str) -> dict[str, int]:
    """Return the assets by state, the columns and the rows read."""
    states = session.execute(
        select(ScanAsset.state, func.count(), func.sum(ScanAsset.rows_read))
        .where(ScanAsset.scan_id == scan_id)
        .group_by(ScanAsset.state)
    ).all()
    of_scan = (
        select(func.count())
        .select_from(ScanColumn)
        .join(ScanAsset, ScanAsset.id == ScanColumn.asset_id)
        .where(ScanAsset.scan_id == scan_id, ScanAsset.state == "scanned")
    )
    counts = {"scanned": 0, "failed": 0, "excluded": 0, "pending": 0}
    counts |= {state: count for state, count, _ in states}
    rows = sum(read or 0 for _, _, read in states)
    return {**counts, "columns": session.scalar(of_scan) or 0, "rows": int(rows)}


def newest(session: Session, source_id: str) -> Scan | None:
    """Return the last scan of a source that ended well."""
    ended = Scan.state.in_(("scanned", "published"))
    found = select(Scan).where(Scan.source_id == source_id, ended)
    return session.scalar(found.order_by(Scan.created_at.desc(), Scan.id.desc()).limit(1))


def previous(session: Session, scan: Scan) -> Scan | None:
    """Return the last scan of the same source that ended well before this one."""
    found = (
        select(Scan)
        .where(
            Scan.source_id == scan.source_id,
            Scan.id != scan.id,
            Scan.created_at <= scan.created_at,
            Scan.state.in_(("scanned", "published")),
        )
        .order_by(Scan.created_at.desc())
        .limit(1)
    )
    return session.scalar(found)


def _fence(session: Session, scan_id: str, holder: str) -> None:
    # The lock makes a take-over wait for this write, or this write see the take-over.
    scan = session.get_one(Scan, scan_id, with_for_update={"read": True}, populate_existing=True)
    if scan.holder != holder:
        raise Conflict(f"Another attempt has taken over the scan {scan_id}.")
