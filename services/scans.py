"""What scans found: assets, columns, their profiles and evidence."""

from typing import Any

from sqlalchemy.orm import Session

from models.stores import drift, scans
from models.stores.drift import DriftEvent as DriftEvent
from models.stores.paging import Page
from models.stores.scans import Scan as Scan
from models.stores.scans import ScanAsset as ScanAsset
from models.stores.scans import ScanColumn as ScanColumn
from racine.errors import Conflict
from racine.governance.scan_rule_sets.rules import parse
from services import access, audit
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
    session: Session, actor: Actor, scan_id: str, *, state: str | None, unchanged: bool | None,
    limit: int, cursor: str | None,
) -> Page[ScanAsset]:  # fmt: skip
    scan = _permitted(session, actor, scan_id)
    return scans.asset_listing(
        session, scan.id, state=state, unchanged=unchanged, limit=limit, cursor=cursor
    )


def asset(
    session: Session, actor: Actor, scan_id: str, asset_id: str
) -> tuple[ScanAsset, list[ScanColumn]]:
    """Return one asset of a scan with its columns."""
    scan = _permitted(session, actor, scan_id)
    found = scans.get_asset(session, scan.id, asset_id)
    return found, scans.columns(session, found.id)


def drift_of(
    session: Session, actor: Actor, *, source_id: str | None, scan_id: str | None,
    aspect: str | None, least: float, limit: int, cursor: str | None,
) -> Page[DriftEvent]:  # fmt: skip
    """Return what changed between the scans that the actor may see, newest first."""
    seen = access.visible(
        session, actor, "scan_logic:read", workspace=DriftEvent.workspace_id,
        source=DriftEvent.source_id,
    )  # fmt: skip
    return drift.listing(
        session, seen, source_id=source_id, scan_id=scan_id, aspect=aspect, least=least,
        limit=limit, cursor=cursor,
    )  # fmt: skip


def rules_of(scan: Scan) -> dict[str, Any]:
    """Return the rules that a scan obeys, those it inherited and the defaults too."""
    return parse(scan.settings.get("rules", {})).model_dump(mode="json")


def pause(session: Session, actor: Actor, scan_id: str, *, paused: bool) -> Scan:
    """Let a scan read nothing until it is resumed; what it has read stays."""
    scan = _steered(session, actor, scan_id)
    action = "scan.pause" if paused else "scan.resume"
    return _order(session, actor, scan, action, paused=paused or None)


def throttle(
    session: Session, actor: Actor, scan_id: str, *, rows_per_second: float | None,
    share: float | None,
) -> Scan:  # fmt: skip
    """Slow a scan down, or with neither figure let it read as its rules say."""
    scan = _steered(session, actor, scan_id)
    return _order(
        session, actor, scan, "scan.throttle", rows_per_second=rows_per_second, share=share
    )


def skip(session: Session, actor: Actor, scan_id: str, asset_id: str) -> Scan:
    """Cancel the reading of one asset: the scan goes on with the others.

    Raises Conflict for one that is not to be read, NotFound for one of another scan.
    """
    scan = _steered(session, actor, scan_id)
    found = scans.get_asset(session, scan.id, asset_id)
    if found.state != "pending":
        raise Conflict(f"{found.name} is {found.state}: there is nothing to cancel.")
    skipped = sorted({*scan.control.get("skipped", ()), found.id})
    return _order(session, actor, scan, "scan.skip", skipped=skipped)


def _order(session: Session, actor: Actor, scan: Scan, action: str, **orders: Any) -> Scan:
    before = dict(scan.control)
    after = scans.order(session, scan.id, **orders)
    audit.record(session, actor, action, scan.id, before=before, after=after)
    return scan


def _steered(session: Session, actor: Actor, scan_id: str) -> Scan:
    scan = _permitted(session, actor, scan_id, "scan_logic:run")
    if scan.state not in ("open", "scanning"):
        raise Conflict(
            f"The scan {scan_id} is {scan.state}: it does not read.",
            next_step="Scan the source again.",
        )
    return scan


def _permitted(
    session: Session, actor: Actor, scan_id: str, right: str = "scan_logic:read"
) -> Scan:
    scan = scans.get(session, scan_id)
    access.same_workspace(actor, scan.workspace_id, f"scan {scan_id!r}")
    access.require(session, actor, right, scope=scan.source_id)
    return scan
