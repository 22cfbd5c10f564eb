"""Reads what a scan has planned, asset by asset, through every order, fault and crash."""

import contextlib
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from activities import planning
from activities.beating import beating
from activities.call import Call
from activities.coding import coder
from activities.connectors.protocol import Asset, Bound, Column, Connector, Incremental
from activities.governor import Governor, Interrupted, Skipped, Spent
from activities.opening import connect
from activities.progress import Progress
from activities.reading import AssetFacts, Reader, table_evidence
from models import classifiers
from models.keys import derive, root_key
from models.settings import Settings
from models.stores import asset_states, scan_progress, scans
from models.stores.scans import Scan, ScanAsset
from models.stores.sources import Source
from racine.errors import SourceFault, Unavailable
from racine.governance.classifications.engine import Classifier, ClassifySettings, decide
from racine.governance.scan_logic.planning import Decision, Reach
from racine.governance.scan_logic.sketches import Coder
from racine.governance.scan_rule_sets.rules import Rules, parse

_TRIES = 3
"""Times an asset is tried whose connection breaks."""
_ALIVE_SECONDS = 60.0
_STORABLE = re.compile(r"-?\d{1,18}(\.\d{1,9})?|\d{4}-\d{2}-\d{2}([T ][\d:.+\-Z]{2,24})?")
"""Numbers, dates and times: what a watermark may be."""


@dataclass
class ScanReading:
    """One attempt at reading the rest of a scan."""

    call: Call
    scan: Scan
    source: Source
    holder: str
    rules: Rules = field(init=False)
    own: tuple[Classifier, ...] = field(init=False)
    code: Coder = field(init=False)
    governor: Governor = field(init=False)

    def __post_init__(self) -> None:
        settings = Settings(database_url=self.call.db.url)
        self.rules = parse(self.scan.settings["rules"])
        with self.call.db.read() as session:
            self.own = classifiers.of_workspace(session, self.scan.workspace_id, settings)
        self.code = coder(derive(root_key(settings), "scan sketches"))
        self.governor = Governor(self.call, self.scan.id, self.holder, self.rules)
        self.governor.spent = Spent(**self.scan.settings.get("spent", {}))
        self._connector: Connector | None = None
        self._lost = 0

    def run(self) -> None:
        """Read until nothing is left or a budget ends; raise what ends the attempt."""
        with self.call.db.read() as session:
            waiting = scans.pending(session, self.scan.id)
        try:
            for row in waiting:
                if reason := self.governor.ceiling():
                    self._leave_out(reason)
                    return
                self._turn(row)
                self.call.heartbeat(row.name)
        finally:
            self._close()

    def _turn(self, row: ScanAsset) -> None:
        """Read one asset and keep its facts, or why it has none."""
        tries = 0
        while True:
            try:
                self._ready(row)
                self._keep(row, *self._facts(row))
                self._lost = 0
                return
            except Interrupted:
                self._close()
            except Skipped as order:
                with self.call.db.write() as session:
                    scan_progress.drop(session, row.id)
                    scans.keep_cancelled(session, row.id, self.holder, order.message)
                return
            except Unavailable as fault:
                tries += 1
                if self._given_up(row, fault, tries):
                    return
            except SourceFault as fault:
                if "credential" in fault.details:
                    raise _withdrawn(fault) from None
                if self._told(row, fault):
                    return

    def _told(self, row: ScanAsset, fault: SourceFault) -> bool:
        """Keep why an asset cannot be read; False where an order broke the query off."""
        stalled = self.governor.stop_reason()
        if self._is_skipped():
            return False
        self._keep_error(row, stalled or str(fault))
        return True

    def _given_up(self, row: ScanAsset, fault: Unavailable, tries: int) -> bool:
        """Connect anew and try again; in the end the asset has the fault, and others their turn.

        Raises the fault when it met two assets in a row: then the source is down, not the asset;
        and at once where it is the credential's.
        """
        self._close()
        if self._is_skipped():
            return False
        if tries < _TRIES:
            time.sleep(tries)
            return False
        self._lost += 1
        if self._lost > 1 or "credential" in fault.details:
            raise fault
        self._keep_error(row, str(fault))
        return True

    def _is_skipped(self) -> bool:
        """Whether somebody cancelled this asset; raises what ends the whole attempt."""
        try:
            self.governor.obey()
        except Skipped:
            return True
        return False

    def _keep_error(self, row: ScanAsset, reason: str) -> None:
        with self.call.db.write() as session:
            scan_progress.drop(session, row.id)
            scans.keep_error(session, row.id, self.holder, reason)

    def _ready(self, row: ScanAsset) -> None:
        """Wait for the window, a resumption and a free connection."""
        self.governor.begin(row.id)
        if not self.governor.is_open:
            self._close()
            self.governor.wait_until_open()
        if self._connector is None:
            self.governor.wait_for(self._connection_free)
            self._connector = connect(self.call, self.source)
        self.governor.begin(row.id, self.rules.for_asset(row.name).budget.seconds)

    def _connection_free(self) -> bool:
        most = self.rules.source_budget.connections
        with self.call.db.write() as session:
            self.governor.connected = scans.connect(session, self.scan, most, _ALIVE_SECONDS)
        return self.governor.connected

    def _facts(self, row: ScanAsset) -> tuple[Asset, AssetFacts, dict[str, Any]]:
        """Read an asset as its plan says; return it with its facts and its watermark."""
        assert self._connector is not None
        asset, made = self._asset(row), planning.decision(row.plan)
        rules = self.rules.for_asset(row.name)
        reader = Reader(self._connector, rules, self.own, self.code, self.governor)
        with beating(self.call, self._connector, self.governor.stop_reason):
            newest = self._newest(asset, rules.plan.watermark)
            begun, bound, part = self._begun(row, asset, made)
            facts = reader.read(part, begun, bound)
            if part is not asset:
                facts.rows = self._connector.count(asset)
        return asset, facts, self._watermark(asset, facts, rules, newest)

    def _asset(self, row: ScanAsset) -> Asset:
        with self.call.db.read() as session:
            columns = tuple(
                Column(c.name, c.type, c.primary_key, c.references)
                for c in scans.columns(session, row.id)
            )
        return Asset(row.name, row.kind, columns, row.facts["details"], row.rows, row.fingerprint)

    def _begun(
        self, row: ScanAsset, asset: Asset, made: Decision
    ) -> tuple[Progress | None, Bound | None, Asset]:
        """Return what reading goes on from: a crashed attempt's chunks, or the scans before."""
        with self.call.db.read() as session:
            kept = scan_progress.of(session, row.id)
            state = asset_states.whole(session, self.source.id, row.name)
        if kept is not None:
            position = kept.position[0]
            return (
                Progress.from_json(
                    kept.sketches, rows=kept.rows_read, chunks=kept.chunks, position=position
                ),
                None,
                asset,
            )
        if made.reach is Reach.WHOLE or state is None or not state.sketches:
            return None, None, asset
        stored = state.sketches
        before = Progress.from_json(stored, rows=stored["rows"], chunks=1, position=None)
        if made.reach is Reach.SINCE:
            mark = state.watermark
            return before, Bound(mark["column"], mark["value"]), asset
        new = [part for part in asset.parts if part.name in made.new_parts]
        return before, None, asset.only(new)

    def _newest(self, asset: Asset, column: str) -> str | None:
        """Return a watermark column's greatest value, asked before the read: what comes meanwhile
        is read twice rather than never."""
        named = column and any(c.name == column for c in asset.columns)
        if not named or not isinstance(self._connector, Incremental):
            return None
        try:
            return self._connector.newest(asset, column)
        except SourceFault:  # a type without an order, such as JSON
            self.governor.obey()
            return None

    def _watermark(
        self, asset: Asset, facts: AssetFacts, rules: Rules, newest: str | None
    ) -> dict[str, Any]:
        """Return what may be stored of how far rows were read: never a value about somebody."""
        kept: dict[str, Any] = {"parts": {p.name: p.fingerprint for p in asset.parts}}
        if newest is None or facts.limits or not _STORABLE.fullmatch(newest):
            return kept
        settings = ClassifySettings(packs=rules.packs, thresholds=rules.thresholds)
        judged = decide(table_evidence(asset, facts), settings, self.own)
        label = next(v.sensitivity for v in judged if v.name == rules.plan.watermark)
        if label in ("confidential", "restricted"):
            return kept
        return kept | {"column": rules.plan.watermark, "value": newest}

    def _keep(self, row: ScanAsset, asset: Asset, facts: AssetFacts, mark: dict[str, Any]) -> None:
        told = {"limits": facts.limits, "irregular": facts.irregular}
        if facts.grown:
            told["grown"] = facts.grown
        pairs = zip(facts.sketches, facts.evidence, strict=True)
        stored = [
            {"sketch": s.for_keeping(), "evidence": e.model_dump(mode="json")} for s, e in pairs
        ]
        with self.call.db.write() as session:
            scans.keep_facts(
                session, row.id, self.holder, rows=facts.rows, rows_read=facts.rows_read,
                told=told, found=_learned(asset, facts),
            )  # fmt: skip
            scan_progress.drop(session, row.id)
            scans.keep_spent(session, self.scan.id, self.governor.spent.to_json())
            # What a ceiling cut short is no whole read: next time nothing speaks for leaving it.
            fingerprint = "" if facts.limits else row.fingerprint
            asset_states.keep(
                session, self.source.id, row.name, asset_id=row.id, read_at=datetime.now(UTC),
                fingerprint=fingerprint, shape=asset.schema, watermark=mark,
                basis=planning.basis(self.rules.for_asset(row.name), self.own),
                sketches={"columns": stored, "irregular": facts.irregular,
                          "rows": facts.rows_read},
            )  # fmt: skip

    def _leave_out(self, reason: str) -> None:
        """Put the rest off to the next scan; what was known of it stands until then."""
        with self.call.db.write() as session:
            names = scans.leave_out(session, self.scan.id, f"The budget ended: {reason}.")
            asset_states.count_left_out(session, self.source.id, names)
            scans.carry_left_out(session, self.scan.id)

    def _close(self) -> None:
        connector, self._connector = self._connector, None
        with contextlib.suppress(Exception):
            if connector is not None:
                connector.close()
        if self.governor.connected:
            self.governor.connected = False
            # Where the database does not hear it, the connection counts as free after a minute.
            with contextlib.suppress(Exception), self.call.db.write() as session:
                scans.disconnect(session, self.scan.id, self.holder)


def _withdrawn(fault: SourceFault) -> Unavailable:
    """Return a refused login as what another attempt may mend: when the source was listed, moments
    before, the credential was good."""
    return Unavailable(
        f"{fault.message} The credential has expired or was withdrawn.",
        next_step="Put a new one where the source's credential refers to; the scan goes on.",
        details=fault.details,
    )


def _learned(asset: Asset, facts: AssetFacts) -> list[Mapping[str, Any]]:
    learned: list[Mapping[str, Any]] = []
    for profile, found in zip(facts.profiles, facts.evidence, strict=True):
        kept = {"profile": profile, "evidence": found.model_dump(mode="json")}
        learned.append(kept | {"type": profile["type"]} if asset.kind == "file" else kept)
    return learned
