"""Reads one asset through its connector and makes facts of it: profiles and evidence, no values."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from activities.connectors.files.sets import title
from activities.connectors.protocol import Asset, Batch, Bound, Connector, Incremental, Sample
from activities.progress import Chunk, Progress, chunk_rows
from racine.governance.classifications.engine import (
    Classifier,
    ClassifySettings,
    ColumnEvidence,
    Evidence,
    TableEvidence,
    catalogue,
    decide,
)
from racine.governance.scan_logic.column_sketch import ColumnSketch
from racine.governance.scan_logic.sampling import GROWTH, near_limit
from racine.governance.scan_logic.sketches import Coder
from racine.governance.scan_rule_sets.rules import Rules


@dataclass
class AssetFacts:
    """What a read learned of an asset."""

    rows: int | None
    """Rows the asset has; None where only a full read would have told."""
    rows_read: int
    sketches: list[ColumnSketch]
    """One a column, in their order."""
    evidence: list[Evidence]
    limits: list[str] = field(default_factory=list)
    """Which ceilings of the budget ended the read."""
    irregular: dict[str, int] = field(default_factory=dict)
    """What was wrong in the rows, in words, and how often."""
    grown: dict[str, Any] = field(default_factory=dict)
    """Why more than the sample was read: the columns whose type was near its limit."""

    @property
    def profiles(self) -> list[dict[str, Any]]:
        """One a column, in their order."""
        return [sketch.profile() for sketch in self.sketches]


class Watch(Protocol):
    """Looks on while an asset is read."""

    def batch(self, rows: int, bytes_: int) -> str | None:
        """Take note of a batch; return the ceiling that ends the read, if one does.

        It may wait, which slows the read, and raise, which breaks it off.
        """

    def chunk(self, progress: Progress) -> None:
        """Keep how far the read has come."""


class Unwatched:
    """Lets everything be read at full speed, and keeps nothing."""

    def batch(self, rows: int, bytes_: int) -> str | None:
        return None

    def chunk(self, progress: Progress) -> None:
        return None


@dataclass(frozen=True)
class Reader:
    """How one asset is read."""

    connector: Connector
    rules: Rules
    own: Sequence[Classifier] = ()
    """Users' classifiers, which see the values beside the built-in ones."""
    code: Coder | None = None
    """Makes the sketches that are kept; without it, there are none."""
    watch: Watch = field(default_factory=Unwatched)

    def read(
        self, asset: Asset, begun: Progress | None = None, bound: Bound | None = None
    ) -> AssetFacts:
        """Profile an asset in one pass within its rule set's budget.

        `begun` is what an earlier read kept: reading goes on there, or with a `bound` adds the rows
        beyond it. Raises SourceFault when the source does.
        """
        wanted = self._wanted()
        facts = self._facts(asset, wanted, begun, bound)
        if wanted is None or bound is not None or facts.limits or facts.rows_read < wanted:
            return facts
        return self._grown(asset, facts, wanted)

    def _wanted(self) -> int | None:
        # A ceiling makes a sample across the asset, never its first rows.
        ceilings = (self.rules.sample_rows, self.rules.budget.rows)
        return min((n for n in ceilings if n is not None), default=None)

    def _facts(
        self, asset: Asset, wanted: int | None, begun: Progress | None, bound: Bound | None
    ) -> AssetFacts:
        progress, limits = self._pass(asset, wanted, begun, bound)
        whole = wanted is None and not limits and bound is None
        rows = progress.rows if whole else _total(self.connector, asset, progress.rows, wanted)
        return AssetFacts(
            rows=rows,
            rows_read=progress.rows,
            sketches=progress.sketches,
            evidence=progress.evidence,
            limits=limits,
            irregular=dict(progress.irregular),
        )

    def _pass(
        self, asset: Asset, wanted: int | None, begun: Progress | None, bound: Bound | None
    ) -> tuple[Progress, list[str]]:
        progress = begun or Progress()
        bank = (*catalogue(), *self.own)
        chunk, size = Chunk(asset, bank, self.code), chunk_rows(len(asset.columns))
        ends = time.monotonic() + (self.rules.budget.seconds or float("inf"))
        # Only a whole read has places to go on from, and only one with sketches is kept.
        parted = wanted is None and bound is None and self.code is not None
        limits: list[str] = []
        for batch in self._batches(asset, wanted, progress, bound):
            bytes_ = chunk.add(batch)
            limit = self.watch.batch(batch.rows, bytes_)
            limit = limit or ("seconds" if time.monotonic() > ends else None)
            if limit:
                limits.append(limit)
                break
            if parted and batch.position is not None and chunk.rows >= size:
                progress.add(chunk, batch.position)
                progress, chunk = progress.again(), Chunk(asset, bank, self.code)
                self.watch.chunk(progress)
        if chunk.rows or not progress.chunks:
            progress.add(chunk, None)
        return progress, limits

    def _batches(
        self, asset: Asset, wanted: int | None, progress: Progress, bound: Bound | None
    ) -> Iterator[Batch]:
        if bound is None:
            return self.connector.read(asset, Sample(wanted), progress.position)
        assert isinstance(self.connector, Incremental)
        return self.connector.read_since(asset, bound, Sample(wanted))

    def _grown(self, asset: Asset, facts: AssetFacts, wanted: int) -> AssetFacts:
        """Return facts of a larger sample where a column's type is near its limit."""
        settings = ClassifySettings(
            packs=self.rules.packs, thresholds=self.rules.thresholds, disabled=self.rules.disabled
        )
        larger = min(wanted * GROWTH, self.rules.budget.rows or wanted * GROWTH)
        if larger <= wanted or (facts.rows is not None and facts.rows <= wanted):
            return facts
        judged = decide(table_evidence(asset, facts), settings, self.own)
        near = {v.name: found for v in judged if (found := near_limit(v.classifications,
                v.candidates))}  # fmt: skip
        if not near:
            return facts
        grown = {"from_rows": wanted, "to_rows": larger, "columns": near}
        return replace(self._facts(asset, larger, None, None), grown=grown)


def read_asset(
    connector: Connector, asset: Asset, rules: Rules, own: Sequence[Classifier] = ()
) -> AssetFacts:
    """Profile an asset in one pass with nobody looking on; raise SourceFault as the source does."""
    return Reader(connector, rules, own).read(asset)


def _total(connector: Connector, asset: Asset, rows: int, wanted: int | None) -> int | None:
    """Return how many rows an asset has of which some were read.

    Fewer than asked for are all there are, unless there are far more: a sample by blocks can find
    a little less than it looked for.
    """
    found = connector.count(asset)
    if wanted is not None and rows < wanted and (found is None or found < 2 * rows):
        return rows
    return found


def table_evidence(asset: Asset, facts: AssetFacts) -> TableEvidence:
    """Return an asset as the classifiers judge it: by its own name, without folder or schema."""
    columns = (
        ColumnEvidence(
            name=column.name, type=column.type, evidence=evidence,
            primary_key=column.primary_key, foreign_key=column.references or "",
        )
        for column, evidence in zip(asset.columns, facts.evidence, strict=True)
    )  # fmt: skip
    path = asset.details.get("path")
    name = path[-1] if path else title(asset.name) if asset.kind == "file" else None
    return TableEvidence(name=name or asset.name, columns=tuple(columns))
