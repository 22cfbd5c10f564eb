"""Performs the operations of the classification group."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from activities import classifiers
from activities.call import Call, Performers
from activities.governed import READ, advance
from models.settings import Settings
from models.stores import scans, verdicts
from racine.governance import classifications as group
from racine.governance.catalog.identity import asset_id
from racine.governance.classifications import cleartext, engine
from racine.governance.classifications.verdicts import Found, effective
from racine.governance.data_sources.states import SourceState

_STATED = 50
"""Verdicts kept of one column at most: the best candidates beside what was found."""


def classify(call: Call, given: group.ClassifyInput) -> group.ClassifyResult:
    own = classifiers.configured(Settings(database_url=call.db.url))
    found: list[tuple[verdicts.Column, Sequence[Found]]] = []
    kinds = Counter[str]()
    with call.db.write() as session:
        scan = scans.get(session, given.scan_id, workspace_id=call.context.workspace_id)
        advance(session, scan.source_id, SourceState.CLASSIFYING, SourceState.CLASSIFIED)
        settings = _settings(scan)
        pins = verdicts.pins(session, scan.source_id)
        columns = scans.columns_of(session, scan.id)
        for asset in scans.assets(session, scan.id):
            held = columns.get(asset.id, [])
            judged = _detect(asset, held, settings, own)
            for column, detected in zip(held, judged, strict=True):
                place = _place(scan.source_id, asset.name, column.name)
                column.classifications = effective(detected, pins.get(place.id, {}))
                kinds.update(item["kind"] for item in column.classifications)
                if asset.state == READ:
                    found.append((place, detected))
            call.heartbeat(asset.name)
        scanned = verdicts.Scanned(scan.workspace_id, scan.source_id, scan.id)
        verdicts.keep(session, scanned, found)
        total = sum(map(len, columns.values()))
        classified = sum(bool(c.classifications) for held in columns.values() for c in held)
    return group.ClassifyResult(columns=total, classified=classified, by_kind=dict(kinds))


def _settings(scan: scans.Scan) -> engine.ClassifySettings:
    """Return what the scan's own rules say of classifiers."""
    rules = scan.settings.get("rules", {})
    named = ("packs", "disabled", "thresholds")
    return engine.ClassifySettings(**{name: rules[name] for name in named if name in rules})


def _detect(
    asset: scans.ScanAsset,
    columns: Sequence[scans.ScanColumn],
    settings: engine.ClassifySettings,
    own: Sequence[engine.Classifier],
) -> Iterator[list[Found]]:
    """Yield what the engine says of each column of an asset."""
    shown = tuple(
        engine.ColumnEvidence(
            name=c.name,
            type=c.type,
            evidence=_evidence(c.evidence),
            primary_key=c.primary_key,
            foreign_key=c.references or "",
        )
        for c in columns
    )
    judged = engine.decide(engine.TableEvidence(name=asset.name, columns=shown), settings, own)
    entries = {entry.id: entry for entry in (*engine.catalogue(), *own)}
    for column, verdict in zip(shown, judged, strict=True):
        yield _found(column.evidence, verdict, entries)


def _found(
    evidence: engine.Evidence | None,
    verdict: engine.ColumnVerdict,
    entries: dict[str, engine.Classifier],
) -> list[Found]:
    """Return one verdict for each classifier, its strongest: applied ones, then candidates."""
    found: dict[str, Found] = {}
    for applied, items in ((True, verdict.classifications), (False, verdict.candidates)):
        for item in items:
            made = _verdict(evidence, item, entries[item.id], applied)
            found.setdefault(item.id, made)
    return list(found.values())[:_STATED]


def _verdict(
    evidence: engine.Evidence | None,
    item: engine.Classification,
    entry: engine.Classifier,
    applied: bool,
) -> Found:
    counted = cleartext.checked(entry, evidence) if evidence else None
    explained: dict[str, Any] = {"mode": item.mode, **item.evidence.model_dump(mode="json")}
    if counted is not None:
        explained["checked"] = {"accepted": counted[0], "sampled": counted[1]}
    return Found(
        classifier=item.id,
        kind=item.kind,
        confidence=item.confidence,
        applied=applied,
        sensitivity=entry.sensitivity,
        evidence=explained,
        detector_version=item.detector_version,
        readable=evidence is not None and cleartext.is_readable(entry, item, evidence),
    )


def _evidence(stored: dict[str, Any]) -> engine.Evidence | None:
    return engine.Evidence.model_validate(stored) if stored else None


def _place(source_id: str, asset: str, column: str) -> verdicts.Column:
    return verdicts.Column(
        asset_id(source_id, asset, column), asset_id(source_id, asset), asset, column
    )


PERFORMS: Performers = {group.CLASSIFY: classify}
