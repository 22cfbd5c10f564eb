"""Performs the operations of the classification group."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

from sqlalchemy.orm import Session

from activities.call import Call, Performers
from activities.governed import READ, advance
from models import classifiers
from models.settings import Settings
from models.stores import asset_states, scans, verdicts
from racine.governance import classifications as group
from racine.governance.catalog.identity import asset_id
from racine.governance.classifications import cleartext, engine, model
from racine.governance.classifications.verdicts import Found, Pin, effective
from racine.governance.compliance.categories import highest
from racine.governance.data_sources.states import SourceState
from racine.governance.scan_rule_sets.rules import parse

_AT_ONCE = 100
"""Assets of one transaction."""

_STATED = 50
"""Verdicts kept of one column at most: the best candidates beside what was found."""


def classify(call: Call, given: group.ClassifyInput) -> group.ClassifyResult:
    """Judge a scan's columns, some assets a transaction: other writers wait no longer.

    Doing it again, after a crash too, gives the same.
    """
    with call.db.write() as session:
        scan = scans.get(session, given.scan_id, workspace_id=call.context.workspace_id)
        advance(session, scan.source_id, SourceState.CLASSIFYING, SourceState.CLASSIFIED)
    with call.db.read() as session:
        settings = Settings(database_url=call.db.url)
        own = classifiers.of_workspace(session, scan.workspace_id, settings)
        pins = verdicts.pins(session, scan.source_id)
        assets = scans.assets(session, scan.id)
    judge = _Judge(call, scan, own, pins)
    same = [asset for asset in assets if judge.is_same(asset)]
    known = {asset.id for asset in same}
    ids = [asset.id for asset in assets if asset.id not in known]
    for start in range(0, len(ids), _AT_ONCE):
        judge.assets(ids[start : start + _AT_ONCE])
    judge.same(same)
    return group.ClassifyResult(
        columns=judge.columns, classified=judge.classified, by_kind=dict(judge.kinds)
    )


class _Judge:
    """Judges a scan's assets by its rules, and counts what came of it."""

    def __init__(
        self, call: Call, scan: scans.Scan, own: Sequence[engine.Classifier],
        pins: Mapping[str, Mapping[str, Pin]],
    ) -> None:  # fmt: skip
        self._call, self._scan, self._own, self._pins = call, scan, own, pins
        self._rules = parse(scan.settings.get("rules", {}))
        self.columns = self.classified = 0
        self.kinds = Counter[str]()
        self._digests: dict[str, str] = {}

    def assets(self, ids: Sequence[str]) -> None:
        """Judge some assets without holding the database, then keep all of it at once."""
        with self._call.db.read() as session:
            held = scans.assets_of(session, ids)
        found = {asset.id: self._asset(asset, columns) for asset, columns in held}
        with self._call.db.write() as session:
            self._keep(session, ids, found)

    def same(self, assets: Sequence[scans.ScanAsset]) -> None:
        """Count what stands of assets that were judged before, by the same classifiers."""
        with self._call.db.read() as session:
            columns = scans.found_of(session, [asset.id for asset in assets])
        for found in columns.values():
            self._count([column.classifications for column in found])
        self._call.heartbeat()

    def is_same(self, asset: scans.ScanAsset) -> bool:
        """Whether the engine would say of an asset what it has said before."""
        if not asset.unchanged:
            return False
        return bool(asset.facts.get("judged") == self._digest(asset))

    def _asset(
        self, asset: scans.ScanAsset, columns: Sequence[scans.ScanColumn]
    ) -> list[list[Found]]:
        """Return what the engine says of each column."""
        self._call.heartbeat(asset.name)
        return list(_detect(asset, columns, self._settings(asset), self._own))

    def _count(self, columns: Sequence[Sequence[Mapping[str, Any]]]) -> None:
        self.columns += len(columns)
        self.classified += sum(map(bool, columns))
        self.kinds.update(item["kind"] for found in columns for item in found)

    def _digest(self, asset: scans.ScanAsset) -> str:
        settings = self._settings(asset)
        asked = settings.model_dump_json()
        if asked not in self._digests:
            self._digests[asked] = _digest(settings, self._own)
        return self._digests[asked]

    def _settings(self, asset: scans.ScanAsset) -> engine.ClassifySettings:
        rules = self._rules.for_asset(asset.name)
        return engine.ClassifySettings(
            packs=rules.packs, disabled=rules.disabled, thresholds=rules.thresholds
        )

    def _keep(
        self, session: Session, ids: Sequence[str], found: Mapping[str, list[list[Found]]]
    ) -> None:
        said: list[tuple[verdicts.Column, Sequence[Found]]] = []
        labels: dict[str, str] = {}
        for asset, columns in scans.assets_of(session, ids):
            said += self._judged(asset, columns, found[asset.id])
            labels[asset.name] = highest(
                item["sensitivity"] for c in columns for item in c.classifications
            )
            self._count([column.classifications for column in columns])
        scanned = verdicts.Scanned(self._scan.workspace_id, self._scan.source_id, self._scan.id)
        verdicts.keep(session, scanned, said)
        asset_states.label(session, self._scan.source_id, labels)

    def _judged(
        self, asset: scans.ScanAsset, columns: Sequence[scans.ScanColumn],
        detected: Sequence[list[Found]],
    ) -> Iterator[tuple[verdicts.Column, Sequence[Found]]]:  # fmt: skip
        """Put what was found into an asset's columns; yield it where values were read."""
        for column, items in zip(columns, detected, strict=True):
            place = _place(self._scan.source_id, asset.name, column.name)
            column.classifications = effective(items, self._pins.get(place.id, {}))
            if asset.state == READ:
                yield place, items
        asset.facts = {**asset.facts, "judged": self._digest(asset)}


def _digest(settings: engine.ClassifySettings, own: Sequence[engine.Classifier]) -> str:
    """Return what a verdict stands on: the model, the classifiers, the settings."""
    entries = [(e.id, e.declared) for e in own]
    asked = (model.shipped().version, _code(), entries, settings.model_dump_json())
    return hashlib.sha256(repr(asked).encode()).hexdigest()


@cache
def _code() -> str:
    """Return a digest of the classifiers and of what decides: a release may change either."""
    digest = hashlib.sha256()
    package = resources.files("racine.governance.classifications")
    for folder in (package, package.joinpath("packs"), package.joinpath("data")):
        for file in sorted(folder.iterdir(), key=lambda e: e.name):
            if file.is_file():
                digest.update(file.read_bytes())
    return digest.hexdigest()


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
