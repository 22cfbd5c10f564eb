"""Reads one asset through its connector and makes facts of it: profiles and evidence, no values."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from activities.connectors.files.sets import title
from activities.connectors.protocol import Asset, Connector, Sample
from racine.governance.classifications.engine import (
    Classifier,
    ColumnEvidence,
    Evidence,
    TableEvidence,
    catalogue,
    gather,
)
from racine.governance.scan_logic.profile import (
    CHARACTERS_LIMIT,
    DISTINCT_LIMIT,
    VALUES_LIMIT,
    ColumnProfile,
)
from racine.governance.scan_rule_sets.rules import Rules


@dataclass
class AssetFacts:
    """What a read learned of an asset."""

    rows: int | None
    """Rows the asset has; None where only a full read would have told."""
    rows_read: int
    profiles: list[dict[str, Any]]
    """One a column, in their order."""
    evidence: list[Evidence]
    limits: list[str] = field(default_factory=list)
    """Which ceilings of the budget ended the read."""
    irregular: dict[str, int] = field(default_factory=dict)
    """What was wrong in the rows, in words, and how often."""


def read_asset(
    connector: Connector,
    asset: Asset,
    rules: Rules,
    beat: Callable[[int], None] = lambda rows: None,
    own: Sequence[Classifier] = (),
) -> AssetFacts:
    """Profile an asset in one pass within its rule set's budget.

    `beat` is told the rows read so far after each batch; it raises to break off. `own` are users'
    classifiers, which see the values beside the built-in ones. Raises SourceFault when the source
    does.
    """
    # A ceiling makes a sample across the asset, never its first rows.
    ceilings = [n for n in (rules.sample_rows, rules.budget.rows) if n is not None]
    wanted = min(ceilings, default=None)
    width = len(asset.columns)
    columns = _profiles(width, blank_is_null=asset.kind == "file")
    rows, limits, irregular = 0, list[str](), Counter[str]()
    ends = time.monotonic() + (rules.budget.seconds or float("inf"))
    for batch in connector.read(asset, Sample(wanted)):
        for column, values in zip(columns, batch.columns, strict=True):
            column.add(values)
        rows += batch.rows
        irregular.update(batch.irregular)
        beat(rows)
        if time.monotonic() > ends:
            limits.append("seconds")
            break
    samples = [column.sample() for column in columns]
    bank = (*catalogue(), *own)
    return AssetFacts(
        rows=rows if wanted is None and not limits else _total(connector, asset, rows, wanted),
        rows_read=rows,
        profiles=[c.result(s) for c, s in zip(columns, samples, strict=True)],
        evidence=[gather(sample, using=bank) for sample in samples],
        limits=limits,
        irregular=dict(irregular),
    )


def _total(connector: Connector, asset: Asset, rows: int, wanted: int | None) -> int | None:
    """Return how many rows an asset has of which some were read.

    Fewer than asked for are all there are, unless there are far more: a sample by blocks can find
    a little less than it looked for.
    """
    found = connector.count(asset)
    if wanted is not None and rows < wanted and (found is None or found < 2 * rows):
        return rows
    return found


def _profiles(width: int, *, blank_is_null: bool) -> list[ColumnProfile]:
    """Return a profile for each column, which share what memory the table may take."""
    limit = max(200, min(DISTINCT_LIMIT, VALUES_LIMIT // max(width, 1)))
    characters = max(4096, CHARACTERS_LIMIT // max(width, 1))
    return [
        ColumnProfile(blank_is_null=blank_is_null, limit=limit, characters=characters)
        for _ in range(width)
    ]


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
