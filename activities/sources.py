"""Performs the operations of the data-source group."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from activities.beating import beating
from activities.call import Call, Performers
from activities.connectors.protocol import Asset, Listing
from activities.opening import connect
from models.stores import rule_sets, scans, sources
from models.stores.sources import Source
from racine.errors import Conflict, RacineError, SourceFault
from racine.governance import data_sources as group
from racine.governance.data_sources import credentials, locations
from racine.governance.data_sources.states import TESTABLE, SourceState
from racine.governance.scan_rule_sets.rules import SYSTEM, Rules, parse


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
    source = _source(call, given.source_id)
    rules, version = _rules(call, given.rule_set_id)
    _move(call, source, SourceState.SCANNING)
    try:
        connector = connect(call, source)
        try:
            with beating(call, connector):
                listing = connector.discover()
        finally:
            connector.close()
    except RacineError as fault:
        _move(call, source, SourceState.SCAN_FAILED, str(fault))
        raise
    return _open_scan(call, source, given.rule_set_id, version, rules, listing)


def _open_scan(
    call: Call, source: Source, rule_set_id: str | None, version: int | None, rules: Rules,
    listing: Listing,
) -> group.DiscoverResult:  # fmt: skip
    rows = list(_rows(listing, rules))
    with call.db.write() as session:
        scan = scans.create(
            session, source.workspace_id, source.id, call.context.run_id, call.task_key
        )
        scan.rule_set_id, scan.rule_set_version = rule_set_id, version
        scan.settings = {"rules": rules.model_dump(mode="json")}
        scan.clean, scan.errors = listing.clean, list(listing.errors)
        scans.add_assets(session, scan.id, rows)
        return group.DiscoverResult(
            scan_id=scan.id,
            assets=sum(asset["state"] != "excluded" for asset, _ in rows),
            excluded=sum(asset["state"] == "excluded" for asset, _ in rows),
            errors=len(listing.errors) + sum(asset["state"] == "failed" for asset, _ in rows),
            clean=listing.clean,
        )


def _rows(listing: Listing, rules: Rules) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Yield each asset's row with those of its columns; an excluded asset keeps only its name."""
    selection = rules.selection()
    for asset in listing.assets:
        why = selection.explain(asset.name)
        state = "excluded" if not why.included else "failed" if asset.error else "pending"
        row = {
            "name": asset.name[:1000],
            "kind": asset.kind,
            "state": state,
            "error": asset.error if why.included else None,
            "rows": asset.rows,
            "fingerprint": asset.fingerprint,
            "facts": {"details": asset.details, "rule": why.reason},
        }
        yield row, _columns(asset) if why.included else []


def _columns(asset: Asset) -> list[dict[str, Any]]:
    return [
        {
            "name": column.name[:1000],
            "type": column.type[:200],
            "primary_key": column.primary_key,
            "references": column.references,
            "profile": {},
            "evidence": {},
            "classifications": [],
        }
        for column in asset.columns
    ]


def _measure(call: Call, source: Source) -> group.CheckResult:
    """Test a source and keep what came of it as its health."""
    began = time.monotonic()
    try:
        connector = connect(call, source)
        try:
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


def _rules(call: Call, rule_set_id: str | None) -> tuple[Rules, int | None]:
    """Return a rule set's newest rules, or the system's own."""
    if rule_set_id is None:
        return SYSTEM, None
    with call.db.read() as session:
        rule_sets.get(session, rule_set_id, workspace_id=call.context.workspace_id)
        version = rule_sets.version(session, rule_set_id)
        return parse(version.content), version.number


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
