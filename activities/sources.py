"""Performs the operations of the data-source group."""

import time
from collections import Counter
from datetime import UTC, datetime

from temporalio.exceptions import CancelledError

from activities.beating import beating
from activities.call import Call, Performers
from activities.connectors.protocol import Listing, Remembering
from activities.opening import connect
from activities.planning import Planner, listed_before
from models import classifiers
from models.settings import Settings
from models.stores import rule_sets, scans, sources
from models.stores.rule_sets import Ruled
from models.stores.sources import Source
from racine.errors import Conflict, RacineError, SourceFault
from racine.governance import data_sources as group
from racine.governance.data_sources import credentials, locations
from racine.governance.data_sources.states import TESTABLE, SourceState


def register(call: Call, given: group.RegisterInput) -> group.RegisterResult:
    locations.refuse_password(locations.parse(given.location, given.kind))
    if given.credential is not None:
        credentials.parse(given.credential)
    with call.db.write() as session:
        source = sources.register(session, call.context.workspace_id, **given.model_dump())
        return group.RegisterResult(source_id=source.id, state=source.state)


def test(call: Call, given: group.SourceRef) -> group.CheckResult:
    source = _source(call, given.source_id)
    _refuse_archived(source)
    decides = source.state in TESTABLE
    if decides:
        _move(call, source, SourceState.CONFIGURING)
    result = _measure(call, source)
    failed = next((step for step in result.steps if not step.ok), None)
    if decides:
        reason = f"{failed.step}: {failed.detail}" if failed else None
        _move(call, source, SourceState.FAILED if failed else SourceState.CONNECTED, reason)
    if failed:
        raise SourceFault(
            f"The source {source.name!r} failed at {failed.step}: {failed.detail}",
            next_step=failed.next_step,
        )
    return result


def monitor_health(call: Call, given: group.SourceRef) -> group.HealthResult:
    source = _source(call, given.source_id)
    result = _measure(call, source)
    health = _source(call, given.source_id).health
    return group.HealthResult(
        ok=result.ok, state=source.state, detail=health["detail"], seconds=health["seconds"]
    )


def archive(call: Call, given: group.SourceRef) -> group.SourceStateResult:
    source = _source(call, given.source_id)
    _move(call, source, SourceState.ARCHIVED)
    return group.SourceStateResult(source_id=source.id, state=SourceState.ARCHIVED)


def discover(call: Call, given: group.DiscoverInput) -> group.DiscoverResult:
    """List a source and open a scan over what it holds: each asset with what is done with it."""
    source = _source(call, given.source_id)
    ruled = _ruled(call, source, given)
    if given.dry_run:
        return _planned(call, source, given, ruled)
    _move(call, source, SourceState.SCANNING)
    try:
        return _planned(call, source, given, ruled)
    except (RacineError, CancelledError) as fault:
        _move(call, source, SourceState.SCAN_FAILED, str(fault) or "It was cancelled.")
        call.heartbeat()  # a query that was broken off because the run is cancelled is no fault
        raise


def _planned(
    call: Call, source: Source, given: group.DiscoverInput, ruled: Ruled
) -> group.DiscoverResult:
    with call.db.read() as session:
        settings = Settings(database_url=call.db.url)
        own = classifiers.of_workspace(session, source.workspace_id, settings)
    connector = connect(call, source)
    try:
        if isinstance(connector, Remembering) and ruled.rules.plan.mode != "full":
            connector.remember(listed_before(call.db, source.id))
        with beating(call, connector):
            listing = connector.discover()
        planner = Planner.of(call.db, source.id, ruled.rules, own, connector)
    finally:
        connector.close()
    return _open_scan(call, source, given, ruled, listing, planner)


def _open_scan(
    call: Call, source: Source, given: group.DiscoverInput, ruled: Ruled, listing: Listing,
    planner: Planner,
) -> group.DiscoverResult:  # fmt: skip
    """Write the scan down, some assets a transaction; it can be taken up once all are there."""
    with call.db.write() as session:
        scan = scans.create(
            session, source.workspace_id, source.id, call.context.run_id, call.task_key
        )
        scan.state, scan.errors = "listing", list(listing.errors)
        scan.rule_set_id, scan.rule_set_version = ruled.rule_set_id, ruled.version
        scan.settings = {"rules": ruled.content, "layers": ruled.layers}
    counts = Counter[str]()
    for rows in planner.rows(listing.assets):
        with call.db.write() as session:
            scans.add_assets(session, scan.id, rows)
        counts.update(asset["state"] for asset, _ in rows)
        call.heartbeat()
    with call.db.write() as session:
        opened = scans.get(session, scan.id)
        opened.state, opened.clean = "planned" if given.dry_run else "open", listing.clean
    return group.DiscoverResult(
        scan_id=scan.id,
        assets=counts.total() - counts["excluded"],
        to_read=counts["pending"],
        excluded=counts["excluded"],
        errors=len(listing.errors) + counts["failed"],
        clean=listing.clean,
    )


def _measure(call: Call, source: Source) -> group.CheckResult:
    """Test a source and keep what came of it as its health."""
    began = time.monotonic()
    try:
        connector = connect(call, source)
        try:
            with beating(call, connector):  # a source of very many tables takes its time
                steps = list(connector.check())
        finally:
            connector.close()
    except RacineError as fault:
        detail, next_step = fault.message, fault.next_step
        steps = [group.CheckStep(step="prepare", ok=False, detail=detail, next_step=next_step)]
    last = steps[-1]
    health = {
        "ok": last.ok,
        "detail": last.detail,
        "seconds": round(time.monotonic() - began, 3),
        "checked_at": datetime.now(UTC).isoformat(),
        "steps": [step.model_dump() for step in steps],
    }
    with call.db.write() as session:
        sources.keep_health(session, source.id, health)
    return group.CheckResult(ok=last.ok, steps=steps)


def _ruled(call: Call, source: Source, given: group.DiscoverInput) -> Ruled:
    with call.db.read() as session:
        named = given.rule_set_id or source.options.get("rule_set_id")
        found = rule_sets.ruled(session, source.workspace_id, named)
    if given.mode is None:
        return found
    return found.with_more({"plan": {"mode": given.mode}})


def _source(call: Call, source_id: str) -> Source:
    """Return a source of the run's own workspace."""
    with call.db.read() as session:
        return sources.get(session, source_id, workspace_id=call.context.workspace_id)


def _refuse_archived(source: Source) -> None:
    if source.state == SourceState.ARCHIVED:
        raise Conflict(f"The source {source.name!r} is archived.")


def _move(call: Call, source: Source, to: SourceState, reason: str | None = None) -> None:
    with call.db.write() as session:
        sources.move(session, source.id, to, reason)


PERFORMS: Performers = {
    group.REGISTER: register,
    group.TEST: test,
    group.DISCOVER: discover,
    group.MONITOR_HEALTH: monitor_health,
    group.ARCHIVE: archive,
}
