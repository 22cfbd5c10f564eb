"""Performs the operations of the scan-logic group."""

from temporalio import activity
from temporalio.exceptions import CancelledError

from activities import classifiers
from activities.beating import beating
from activities.call import Call, Performers
from activities.connectors.protocol import Asset, Column, Connector
from activities.opening import connect
from activities.reading import read_asset
from models.settings import Settings
from models.stores import scans, sources
from models.stores.scans import Scan, ScanAsset
from models.stores.sources import Source
from racine.errors import RacineError, SourceFault
from racine.governance import scan_logic as group
from racine.governance.classifications.engine import Classifier
from racine.governance.data_sources.states import SourceState
from racine.governance.scan_logic.drift import Shape, compare
from racine.governance.scan_rule_sets.rules import Rules, parse

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
        found = scans.take(session, found.id, holder)
        if found.state == "scanning" and source.state == SourceState.SCAN_FAILED:
            sources.move(session, source.id, SourceState.SCANNING)
    if found.state == "scanning":
        try:
            _read_pending(call, found, source, holder)
        except (RacineError, CancelledError) as fault:
            if not _is_shutdown(fault):
                _finish(call, found, SourceState.SCAN_FAILED, str(fault) or "It was cancelled.")
            raise
        _finish(call, found, SourceState.SCANNED)
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
    with call.db.write() as session:
        earlier = scans.previous(session, scan_)
        if earlier is None:
            return group.DriftResult(
                scan_id=scan_.id, previous_scan_id=None, added=0, removed=0, changed=0
            )
        found = compare(
            _shapes(call, earlier.id), _shapes(call, scan_.id), clean=scan_.clean and earlier.clean
        )
        scans.get(session, scan_.id).drift = {"previous_scan_id": earlier.id, **found.to_json()}
    return group.DriftResult(
        scan_id=scan_.id,
        previous_scan_id=earlier.id,
        added=len(found.added),
        removed=len(found.removed),
        changed=len(found.changed),
    )


def _read_pending(call: Call, found: Scan, source: Source, holder: str) -> None:
    rules = parse(found.settings["rules"])
    own = classifiers.load(Settings(database_url=call.db.url).classifiers_folder)
    with call.db.read() as session:
        waiting = scans.pending(session, found.id)
    connector = connect(call, source)
    try:
        with beating(call, connector):
            for asset in waiting:
                _read(call, connector, asset, rules, own, holder)
                call.heartbeat(asset.name)
    finally:
        connector.close()


def _read(
    call: Call,
    connector: Connector,
    row: ScanAsset,
    rules: Rules,
    own: tuple[Classifier, ...],
    holder: str,
) -> None:
    """Read one asset and keep its facts, or the reason why it cannot be read."""
    asset = _asset(call, row)
    try:
        facts = read_asset(connector, asset, rules, own=own)
    except SourceFault as fault:
        with call.db.write() as session:
            scans.keep_error(session, row.id, holder, str(fault))
        return
    learned = [
        {"type": profile["type"], "profile": profile, "evidence": found.model_dump(mode="json")}
        if asset.kind == "file"
        else {"profile": profile, "evidence": found.model_dump(mode="json")}
        for profile, found in zip(facts.profiles, facts.evidence, strict=True)
    ]
    with call.db.write() as session:
        scans.keep_facts(
            session, row.id, holder, rows=facts.rows, rows_read=facts.rows_read,
            limits=facts.limits, found=learned,
        )  # fmt: skip


def _asset(call: Call, row: ScanAsset) -> Asset:
    with call.db.read() as session:
        columns = tuple(Column(c.name, c.type) for c in scans.columns(session, row.id))
    return Asset(row.name, row.kind, columns, row.facts["details"], row.rows, row.fingerprint)


def _finish(call: Call, found: Scan, to: SourceState, reason: str | None = None) -> None:
    with call.db.write() as session:
        scans.close(session, found.id, "scanned" if to is SourceState.SCANNED else "failed")
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


def _shapes(call: Call, scan_id: str) -> dict[str, Shape]:
    with call.db.read() as session:
        columns = scans.columns_of(session, scan_id)
        return {
            asset.name: Shape({c.name: c.type for c in columns.get(asset.id, [])}, asset.rows)
            for asset in scans.assets(session, scan_id)
        }


PERFORMS: Performers = {group.PLAN: plan, group.SCAN: scan, group.DETECT_DRIFT: detect_drift}
