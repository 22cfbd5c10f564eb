"""Queries over sources, scans and what they found."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables.scans import Scan, ScanAsset, ScanColumn
from racine.errors import NotFound
from racine.ids import new_id


def create(session: Session, workspace_id: str, source_id: str, run_id: str | None) -> Scan:
    scan = Scan(
        id=new_id("scan"),
        workspace_id=workspace_id,
        source_id=source_id,
        run_id=run_id,
        state="open",
    )
    session.add(scan)
    session.flush()
    return scan


def get(session: Session, scan_id: str) -> Scan:
    scan = session.get(Scan, scan_id)
    if scan is None:
        raise NotFound(f"There is no scan {scan_id!r}.")
    return scan


def add_asset(
    session: Session, scan_id: str, name: str, kind: str, columns: Sequence[tuple[str, str]]
) -> ScanAsset:
    asset = ScanAsset(id=new_id("sa"), scan_id=scan_id, name=name, kind=kind)
    session.add(asset)
    session.flush()
    session.add_all(
        ScanColumn(id=new_id("sc"), asset_id=asset.id, position=place, name=column, type=type_)
        for place, (column, type_) in enumerate(columns)
    )
    return asset


def assets(session: Session, scan_id: str) -> list[ScanAsset]:
    found = select(ScanAsset).where(ScanAsset.scan_id == scan_id).order_by(ScanAsset.name)
    return list(session.scalars(found))


def columns(session: Session, asset_id: str) -> list[ScanColumn]:
    found = select(ScanColumn).where(ScanColumn.asset_id == asset_id).order_by(ScanColumn.position)
    return list(session.scalars(found))


def keep_evidence(
    session: Session, asset_id: str, rows_read: int, evidence: dict[str, dict[str, Any]]
) -> None:
    """Store what was learned of an asset's columns; writing it again replaces it."""
    asset = session.get_one(ScanAsset, asset_id)
    asset.state, asset.rows_read = "scanned", rows_read
    for column in columns(session, asset_id):
        column.evidence = evidence[column.name]


def close(session: Session, scan_id: str, state: str) -> None:
    scan = get(session, scan_id)
    scan.state, scan.ended_at = state, datetime.now(UTC)
