"""What scans found: assets, columns, their profiles and evidence."""

from sqlalchemy.orm import Session

from models.stores import scans
from models.stores.paging import Page
from models.stores.scans import Scan as Scan
from models.stores.scans import ScanAsset as ScanAsset
from models.stores.scans import ScanColumn as ScanColumn
from services import access
from services.access import Actor


def listed(
    session: Session, actor: Actor, *, source_id: str | None, limit: int, cursor: str | None
) -> Page[Scan]:
    """Return the scans that the actor may see, newest first."""
    seen = access.visible(
        session, actor, "scan_logic:read", workspace=Scan.workspace_id, source=Scan.source_id
    )
    return scans.listing(session, seen, source_id=source_id, limit=limit, cursor=cursor)


def get(session: Session, actor: Actor, scan_id: str) -> tuple[Scan, dict[str, int]]:
    """Return a scan with its totals."""
    scan = _permitted(session, actor, scan_id)
    return scan, scans.totals(session, scan.id)


def assets(
    session: Session, actor: Actor, scan_id: str, *, state: str | None, limit: int,
    cursor: str | None,
) -> Page[ScanAsset]:  # fmt: skip
    scan = _permitted(session, actor, scan_id)
    return scans.asset_listing(session, scan.id, state=state, limit=limit, cursor=cursor)


def asset(
    session: Session, actor: Actor, scan_id: str, asset_id: str
) -> tuple[ScanAsset, list[ScanColumn]]:
    """Return one asset of a scan with its columns."""
    scan = _permitted(session, actor, scan_id)
    found = scans.get_asset(session, scan.id, asset_id)
    return found, scans.columns(session, found.id)


def _permitted(session: Session, actor: Actor, scan_id: str) -> Scan:
    scan = scans.get(session, scan_id)
    access.same_workspace(actor, scan.workspace_id, f"scan {scan_id!r}")
    access.require(session, actor, "scan_logic:read", scope=scan.source_id)
    return scan
