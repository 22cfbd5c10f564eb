"""Performs the operations of the scan-logic group."""

from collections.abc import Sequence
from datetime import datetime

from temporalio import activity
from temporalio.exceptions import CancelledError

from activities.call import Call, Performers
from activities.scan_reading import ScanReading
from models.stores import asset_states, drift, scan_progress, scans, sources
from models.stores.scans import FoundColumn, Scan, ScanAsset
from models.stores.sources import Source
from racine.errors import Conflict, RacineError
from racine.governance import scan_logic as group
from racine.governance.data_sources.states import SourceState
from racine.governance.scan_logic.drift import Shape, compare

_LARGEST = 10


def plan(call: Call, given: group.ScanRef) -> group.PlanResult:
    scan, _ = _scan_of(call, given)
    with call.db.read() as session:
        counts = scans.totals(session, scan.id)
        waiting = scans.pending(session, scan.id)
    waiting.sort(key=lambda asset: -(asset.rows or 0))
    return group.PlanResult(
        scan_id=scan.id,
        assets=counts["pending"],
        excluded=counts["excluded"],
        unreadable=counts["failed"],
        largest=[asset.name for asset in waiting[:_LARGEST]],
    )


def scan(call: Call, given: group.ScanRef) -> group.ScanResult:
    """Read what is still to be read: an attempt after a crash goes on with the next asset."""
    found, source = _scan_of(call, given)
    holder = f"{call.context.run_id}/{call.task_key}/{call.attempt}"
    with call.db.write() as session:
        if found.state in ("listing", "planned"):
            raise Conflict(
                f"The scan {found.id} is {found.state}: it is not there to be read.",
                next_step="Discover the source without `dry_run`.",
            )
        found = scans.take(session, found.id, holder)
        if found.state == "scanning" and source.state == SourceState.SCAN_FAILED:
            sources.move(session, source.id, SourceState.SCANNING)
    if found.state == "scanning":
        try:
            ScanReading(call, found, source, holder).run()
        except (RacineError, CancelledError) as fault:
            if not _is_shutdown(fault):
                cancelled = isinstance(fault, CancelledError)
                state = "cancelled" if cancelled else "failed"
                _finish(call, found, holder, state, str(fault) or "It was cancelled.")
            raise
        _finish(call, found, holder, "scanned")
    with call.db.read() as session:
        counts = scans.totals(session, found.id)
    return group.ScanResult(
        assets=counts["scanned"],
        columns=counts["columns"],
        rows=counts["rows"],
        errors=counts["failed"],
    )


def detect_drift(call: Call, given: group.ScanRef) -> group.DriftResult:
    scan_, _ = _scan_of(call, given)
    with call.db.read() as session:
        earlier = scans.previous(session, scan_)
    if earlier is None:
        return group.DriftResult(
            scan_id=scan_.id, previous_scan_id=None, added=0, removed=0, changed=0
        )
    clean = scan_.clean and earlier.clean
    found = compare(*_shapes(call, earlier, scan_), clean=clean)
    counts = found.counts()
    with call.db.write() as session:
        drift.keep(session, scan_, earlier.id, [change.to_json() for change in found.changes])
        scans.get(session, scan_.id).drift = {
            "previous_scan_id": earlier.id, "added": found.added, "removed": found.removed,
            "changed": sorted(found.changed), "by_aspect": counts,
        }  # fmt: skip
    return group.DriftResult(
        scan_id=scan_.id,
        previous_scan_id=earlier.id,
        added=len(found.added),
        removed=len(found.removed),
        changed=len(found.changed),
        by_aspect=counts,
        largest=max((change.magnitude for change in found.changes), default=0.0),
    )


def _finish(call: Call, found: Scan, holder: str, state: str, reason: str | None = None) -> None:
    to = SourceState.SCANNED if state == "scanned" else SourceState.SCAN_FAILED
    with call.db.write() as session:
        if scans.get(session, found.id).holder != holder:
            return  # the attempt that has taken it over ends it
        if state == "scanned":
            scans.carry_unread(session, found.id)
            asset_states.carry(session, found.source_id, found.id)
        if state == "cancelled":
            scans.cancel_pending(session, found.id)
            scan_progress.drop_all(session, found.id)
        scans.close(session, found.id, state)
        # Another run may have taken the source further: its state is not this scan's to set.
        if sources.get(session, found.source_id).state == SourceState.SCANNING:
            sources.move(session, found.source_id, to, reason)


def _is_shutdown(fault: BaseException) -> bool:
    """Whether the worker stops rather than the run: then another attempt goes on."""
    if not isinstance(fault, CancelledError) or not activity.in_activity():
        return False
    details = activity.cancellation_details()
    return details is None or not details.cancel_requested


def _scan_of(call: Call, given: group.ScanRef) -> tuple[Scan, Source]:
    with call.db.read() as session:
        found = scans.get(session, given.scan_id, workspace_id=call.context.workspace_id)
        return found, sources.get(session, found.source_id)


def _shapes(call: Call, earlier: Scan, later: Scan) -> tuple[dict[str, Shape], dict[str, Shape]]:
    """Return both scans' assets as they are compared; columns only of those that may differ."""
    with call.db.read() as session:
        before, after = (
            {asset.name: asset for asset in scans.assets(session, scan_.id)}
            for scan_ in (earlier, later)
        )
        same = {name for name, asset in after.items() if _is_same(before.get(name), asset)}
        differing = [a.id for held in (before, after) for a in held.values() if a.name not in same]
        columns = scans.found_of(session, differing)
    old, new = (
        {name: _shape(scan_, asset, columns.get(asset.id), differs=name not in same)
         for name, asset in held.items()}
        for scan_, held in ((earlier, before), (later, after))
    )  # fmt: skip
    return old, new


def _is_same(before: ScanAsset | None, after: ScanAsset) -> bool:
    """Whether an asset was not read again, and its columns are judged as they were."""
    if before is None or not after.unchanged or not after.fingerprint:
        return False
    same = before.facts.get("judged") == after.facts.get("judged")
    return same and before.state == after.state and before.fingerprint == after.fingerprint


def _shape(
    scan_: Scan, asset: ScanAsset, found: Sequence[FoundColumn] | None, *, differs: bool
) -> Shape:
    columns = found or ()
    modified = asset.facts.get("modified")
    judged = differs and asset.state == "scanned" and "judged" in asset.facts
    return Shape(
        columns={column.name: column.type for column in columns},
        rows=asset.rows,
        seen_at=scan_.created_at,
        modified=datetime.fromisoformat(modified) if modified else None,
        types={
            c.name: {v["id"]: v["confidence"] for v in c.classifications} for c in columns
        } if judged else None,
    )  # fmt: skip


PERFORMS: Performers = {group.PLAN: plan, group.SCAN: scan, group.DETECT_DRIFT: detect_drift}
