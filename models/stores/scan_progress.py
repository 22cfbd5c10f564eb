"""How far assets have been read: what an attempt after a crash goes on from."""

from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models.stores import scans
from models.tables.scans import ScanAsset, ScanProgress

__all__ = ["ScanProgress"]


def of(session: Session, asset_id: str) -> ScanProgress | None:
    """Return what an earlier attempt kept of an asset that it did not end."""
    return session.get(ScanProgress, asset_id)


def keep(
    session: Session,
    asset_id: str,
    holder: str,
    *,
    position: int | str,
    rows_read: int,
    chunks: int,
    sketches: dict[str, Any],
) -> None:
    """Store how far an asset is read; raise Conflict when the attempt is not the newest."""
    scans.fence_asset(session, asset_id, holder)
    row = session.get(ScanProgress, asset_id)
    if row is None:
        row = ScanProgress(asset_id=asset_id)
        session.add(row)
    row.position, row.rows_read, row.chunks, row.sketches = [position], rows_read, chunks, sketches


def drop(session: Session, asset_id: str) -> None:
    """Forget it: the asset is read to its end, or will not be."""
    session.execute(delete(ScanProgress).where(ScanProgress.asset_id == asset_id))


def drop_all(session: Session, scan_id: str) -> None:
    """Forget how far every asset of a scan is read: it will not go on."""
    of_scan = select(ScanAsset.id).where(ScanAsset.scan_id == scan_id)
    session.execute(delete(ScanProgress).where(ScanProgress.asset_id.in_(of_scan)))
