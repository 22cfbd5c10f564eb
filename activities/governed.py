"""Turns the rows of a scan and what people stated into what compliance and the catalog judge."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy.orm import Session

from activities.call import Call
from models.stores import scans, sources, verdicts
from models.stores.sources import Source
from racine.governance.catalog.identity import asset_id
from racine.governance.classifications.verdicts import Pin
from racine.governance.compliance.categories import highest, label_of, legal_name
from racine.governance.compliance.subjects import FoundColumn, FoundSource, FoundTable
from racine.governance.data_sources import locations
from racine.governance.data_sources.states import SourceState, allowed

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_TLS_MODES = frozenset({"require", "verify-ca", "verify-full"})
_PLAIN_MODES = frozenset({"disable", "allow"})
READ = "scanned"
"""State of a scan's asset whose values were read."""


@dataclass(frozen=True)
class Governed:
    """One scan with everything that judging and publishing it needs."""

    scan: scans.Scan
    source: Source
    assets: Sequence[scans.ScanAsset]
    columns: Mapping[str, Sequence[scans.ScanColumn]]
    """Columns by the id of the scan's asset."""
    pins: Mapping[str, Mapping[str, Pin]]


def load(session: Session, call: Call, scan_id: str) -> Governed:
    """Return a scan of the run's own workspace."""
    scan = scans.get(session, scan_id, workspace_id=call.context.workspace_id)
    return Governed(
        scan,
        sources.get(session, scan.source_id),
        scans.assets(session, scan.id),
        scans.columns_of(session, scan.id),
        verdicts.pins(session, scan.source_id),
    )


def advance(session: Session, source_id: str, *states: SourceState) -> None:
    """Move a source along its life cycle as far as it may go from where it stands.

    A step made again, or out of its turn (a validation between two scans), leaves it as it is.
    """
    for state in states:
        source = sources.get(session, source_id)
        if state in allowed(SourceState(source.state)):
            sources.move(session, source_id, state)


def in_force(governed: Governed, column_id: str, column: scans.ScanColumn) -> list[dict[str, Any]]:
    """Return the scan's classifications of a column, less what a person has rejected since."""
    pins = governed.pins.get(column_id, {})
    found = [item for item in column.classifications if _stands(item, pins)]
    known = {item["id"] for item in found}
    return found + [
        {"id": pin.classifier, "kind": pin.kind, "sensitivity": pin.sensitivity}
        for pin in pins.values()
        if pin.state == "confirmed" and pin.classifier not in known
    ]


def _stands(item: Mapping[str, Any], pins: Mapping[str, Pin]) -> bool:
    pin = pins.get(item["id"])
    return pin is None or pin.state == "confirmed"


def label(kinds: Sequence[Mapping[str, Any]]) -> str:
    """Return the sensitivity that classifications ask for, by their classifiers and the law."""
    names = (legal_name(item["id"], item["kind"]) for item in kinds)
    return highest([label_of(names), *(item["sensitivity"] for item in kinds)])


def found_source(governed: Governed) -> FoundSource:
    """Return the scan as the facts that controls are asked over."""
    scan, source = governed.scan, governed.source
    taken = scan.ended_at or scan.created_at
    return FoundSource(
        id=asset_id(source.id),
        name=source.name,
        transport=_transport(source),
        clean=scan.clean,
        scan_age_days=max(0, (datetime.now(UTC) - taken).days),
        tables=[_found_table(governed, asset) for asset in governed.assets],
    )


def _found_table(governed: Governed, asset: scans.ScanAsset) -> FoundTable:
    return FoundTable(
        id=asset_id(governed.source.id, asset.name),
        name=asset.name,
        columns=[
            _found_column(governed, asset, column) for column in governed.columns.get(asset.id, ())
        ],
        read=asset.state == READ,
        rows_read=asset.rows_read,
    )


def _found_column(
    governed: Governed, asset: scans.ScanAsset, column: scans.ScanColumn
) -> FoundColumn:
    column_id = asset_id(governed.source.id, asset.name, column.name)
    kinds = in_force(governed, column_id, column)
    return FoundColumn(
        id=column_id,
        name=column.name,
        label=label(kinds),
        kinds=[legal_name(item["id"], item["kind"]) for item in kinds],
        readable_kinds=[
            legal_name(item["id"], item["kind"]) for item in kinds if item.get("readable")
        ],
        empty=_is_empty(asset, column.profile),
        oldest_day=_oldest_day(column.profile),
    )


def _is_empty(asset: scans.ScanAsset, profile: Mapping[str, Any]) -> bool | None:
    if not asset.rows_read or "values" not in profile:
        return None
    return bool(profile["values"] == 0)


def _oldest_day(profile: Mapping[str, Any]) -> date | None:
    """Return the first day of the oldest month: a profile keeps no day, and none older passes."""
    months = profile.get("months")
    try:
        return date.fromisoformat(f"{months['min']}-01") if months else None
    except ValueError:  # the thirteenth month, or the year 0000
        return None


def _transport(source: Source) -> str | None:
    """Return how the source is reached, None when its location leaves that to the driver.

    libpq falls back to plain text unless told otherwise, so silence is no answer.
    """
    location = locations.parse(source.location, source.kind)
    if not location.is_server or location.host in _LOOPBACK:
        return "local"
    if location.kind == "s3":
        return "tls" if location.endpoint.startswith("https:") else "plain"
    mode = location.options.get("sslmode") or source.options.get("sslmode", "")
    if mode in _TLS_MODES:
        return "tls"
    return "plain" if mode in _PLAIN_MODES else None
