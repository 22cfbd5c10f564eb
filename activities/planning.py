"""Makes the rows of a scan from what a source lists: what is read, and what is carried over."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

from activities.connectors.files import grouping
from activities.connectors.protocol import Asset, Connector, Incremental
from models.session import Database
from models.stores import asset_states, scans
from models.stores.asset_states import AssetState
from models.stores.scans import ScanColumn
from racine.governance.classifications.engine import Classifier
from racine.governance.scan_logic import planning
from racine.governance.scan_logic.planning import Action, Decision, Known, Listed, Wish
from racine.governance.scan_rule_sets.rules import Rules

Row = tuple[dict[str, Any], list[dict[str, Any]]]

_LISTED = ("details", "rule", "modified", "left_out")
"""Facts of one scan alone; all others an asset keeps while it is not read."""

_AT_ONCE = 500
"""Assets of one transaction: other writers wait no longer."""


@cache
def detectors() -> str:
    """Return a digest of all that decides what a read makes of values: another asks to read anew.

    The code itself is taken in, so that nobody can change a detector and forget to say so.
    """
    digest = hashlib.sha256()
    for package in ("racine.governance.classifications", "racine.governance.scan_logic"):
        for file in _files(resources.files(package)):
            digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


_OF_READING = {
    "gathering.py", "shapes.py", "evidence.py", "words.py", "profile.py", "column_sketch.py",
    "sketches.py", "sampling.py",
}  # fmt: skip
_OF_READING_FOLDERS = {"detectors": (".py", ".yaml"), "packs": (".yaml",), "data": (".gz",)}


def _files(package: Traversable) -> Iterator[Traversable]:
    for entry in sorted(package.iterdir(), key=lambda e: e.name):
        if entry.name in _OF_READING:
            yield entry
        elif kinds := _OF_READING_FOLDERS.get(entry.name):
            inside = sorted(entry.iterdir(), key=lambda e: e.name)
            yield from (file for file in inside if file.name.endswith(kinds))


def basis(rules: Rules, own: Sequence[Classifier]) -> str:
    """Return what a read stands on: detectors, users' classifiers, and how much is read."""
    users = [(c.id, c.declared) for c in own]
    asked = (detectors(), users, rules.sample, rules.budget.rows)
    return hashlib.sha256(repr(asked).encode()).hexdigest()


def listed_before(db: Database, source_id: str) -> dict[str, Asset]:
    """Return the files of a source as they were listed before, by name."""
    with db.read() as session:
        found = scans.last_listed(session, source_id)
    assets = (
        grouping.listed_before(
            asset.name, asset.fingerprint, asset.facts["details"], asset.facts.get("modified"),
            names,
        )
        for asset, names in found
    )  # fmt: skip
    return {asset.name: asset for asset in assets if asset}


@dataclass(frozen=True)
class Planner:
    """Decides about the assets of one source at one moment."""

    db: Database
    source_id: str
    rules: Rules
    own: Sequence[Classifier]
    picks_rows: bool

    @classmethod
    def of(
        cls, db: Database, source_id: str, rules: Rules, own: Sequence[Classifier],
        connector: Connector,
    ) -> "Planner":  # fmt: skip
        return cls(db, source_id, rules, own, isinstance(connector, Incremental))

    def rows(self, assets: Sequence[Asset]) -> Iterator[list[Row]]:
        """Yield the rows of assets with those of their columns, some at a time.

        An excluded asset keeps only its name; one that is not read has the facts of the scan that
        read it last.
        """
        with self.db.read() as session:
            states = asset_states.of_source(session, self.source_id)
        selection, now = self.rules.selection(), datetime.now(UTC)
        for start in range(0, len(assets), _AT_ONCE):
            group = assets[start : start + _AT_ONCE]
            held = self._held(states, group)
            rows: list[Row] = []
            for asset in group:
                why = selection.explain(asset.name)
                row = _row(asset, why.reason)
                if not why.included:
                    rows.append((row | {"state": "excluded", "error": None}, []))
                    continue
                rows.append(self._planned(asset, row, states.get(asset.name), held, now))
            yield rows

    def _held(
        self, states: Mapping[str, AssetState], group: Iterable[Asset]
    ) -> dict[str, tuple[dict[str, Any], list[ScanColumn]]]:
        """Return the last facts of some assets, by the id of the scan's asset that holds them."""
        ids = [states[a.name].asset_id for a in group if a.name in states]
        with self.db.read() as session:
            return scans.facts_of(session, [found for found in ids if found])

    def _planned(
        self,
        asset: Asset,
        row: dict[str, Any],
        state: AssetState | None,
        held: Mapping[str, tuple[dict[str, Any], list[ScanColumn]]],
        now: datetime,
    ) -> Row:
        facts = held.get(state.asset_id or "") if state else None
        if asset.error:
            # What cannot be opened tells no columns: those that it had are not gone for that.
            columns = asset.columns or (facts[1] if facts else ())
            return row | {"state": "failed"}, _column_rows(columns)
        known = _known(state) if state and facts else None
        rules = self.rules.for_asset(asset.name)
        made = planning.plan(
            self._listed(asset), known, _wish(rules), basis=basis(rules, self.own), now=now,
            left_out=state.left_out if state else 0,
        )  # fmt: skip
        row = row | {"plan": made.to_json()}
        if made.action is Action.READ or facts is None:
            return row, _columns(asset)
        return carried(row, asset.columns, facts)

    def _listed(self, asset: Asset) -> Listed:
        return Listed(
            name=asset.name,
            shape=asset.schema,
            fingerprint=asset.fingerprint,
            rows=asset.rows,
            uses=asset.uses,
            parts={part.name: part.fingerprint for part in asset.parts},
            columns=[column.name for column in asset.columns],
            picks_rows=self.picks_rows,
        )


def carried(
    row: dict[str, Any], listed: Sequence[Any], held: tuple[dict[str, Any], list[ScanColumn]]
) -> Row:
    """Return the rows of an asset that is not read: what is listed now, what was found before."""
    before, columns = held
    known = {column.name: column for column in columns}
    told = {k: v for k, v in before["facts"].items() if k not in _LISTED}
    return (
        row | {
            "state": "scanned", "unchanged": True, "rows": before["rows"],
            "rows_read": before["rows_read"], "facts": {**told, **row["facts"]},
        },
        [
            made | {fact: getattr(known[made["name"]], fact) for fact in scans.CARRIED}
            for made in _column_rows(listed)
        ],
    )  # fmt: skip


def _row(asset: Asset, rule: str) -> dict[str, Any]:
    return {
        "name": asset.name[:1000],
        "kind": asset.kind,
        "state": "pending",
        "error": asset.error,
        "rows": asset.rows,
        "rows_read": None,
        "fingerprint": asset.fingerprint,
        "facts": {"details": asset.details, "rule": rule, "modified": asset.modified},
        "plan": {},
        "unchanged": False,
    }


def _columns(asset: Asset) -> list[dict[str, Any]]:
    return _column_rows(asset.columns)


def _column_rows(columns: Sequence[Any]) -> list[dict[str, Any]]:
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
        for column in columns
    ]


def _wish(rules: Rules) -> Wish:
    asked = rules.plan
    return Wish(planning.Mode(asked.mode), asked.older_than_days, asked.watermark)


def _known(state: AssetState) -> Known | None:
    if state.read_at is None:
        return None
    mark = state.watermark
    return Known(
        read_at=state.read_at,
        shape=state.shape,
        basis=state.basis,
        fingerprint=state.fingerprint,
        sensitivity=state.sensitivity,
        left_out=state.left_out,
        watermark=mark,
        parts=mark.get("parts", {}),
    )


def decision(plan: Mapping[str, Any]) -> Decision:
    """Return the decision that a scan's asset keeps; one of before there were plans reads whole."""
    if not plan:
        return Decision(Action.READ, "")
    return Decision(
        Action(plan["action"]), plan["why"], planning.Reach(plan["reach"]),
        tuple(plan["new_parts"]), plan["score"], tuple(plan["order"]),
    )  # fmt: skip
