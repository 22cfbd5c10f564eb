"""Labelled columns as examples to learn from or to measure on."""

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from bench import estates
from bench.classification import augment
from bench.classification.labelled import Label, LabelledTable, load
from bench.estates.generation import generate
from bench.estates.specification import Table
from bench.estates.specification import load as specifications
from racine.governance.classifications.evidence import ColumnEvidence, Evidence, TableEvidence
from racine.governance.classifications.features import Features, table_features
from racine.governance.classifications.gathering import gather

_TOLERANT = 0.4
"""Weight of a column about which the label leaves room."""
_MADE, _MADE_SILENT = 0.4, 0.2
"""Weight of a column made for training, with its header and without."""


@dataclass(frozen=True, eq=False)
class Example:
    """One labelled column, with or without its header."""

    table: str
    column: str
    source: str
    set: str
    named: bool
    label: Label
    features: Features
    evidence: Evidence
    weight: float


Gathered = tuple[LabelledTable, dict[str, Evidence]]


def collect(folders: Iterable[Path]) -> list[Gathered]:
    """Return the tables of the folders with the evidence of each of their columns."""
    return [_gathered(table) for folder in folders for table in load(folder)]


Part = Literal["learned", "drawn", "fresh"]


def own(part: Part) -> list[Gathered]:
    """Return our own labelled tables: those to learn from, the third drawn to measure on while
    developing, or the fresh ones."""
    return [_gathered(table) for table in own_tables(part)]


def own_tables(part: Part) -> list[LabelledTable]:
    """Return the tables of one part of our own without reading their evidence."""
    sources, chosen = estates.sources(), _sources(part)
    with tempfile.TemporaryDirectory() as folder:
        estates.write(Path(folder))
        tables = [replace(t, set="own", source=sources[t.name]) for t in load(Path(folder))]
    return [table for table in tables if table.source in chosen]


def own_rows(part: Part) -> list[tuple[Table, dict[str, list[str | None]]]]:
    """Return the tables of one part with their columns' values row by row; None for a null."""
    return [
        (table, _columns(table)) for table in specifications() if table.source in _sources(part)
    ]


def _sources(part: Part) -> frozenset[str]:
    drawn, fresh = estates.holdout(), estates.fresh()
    others = frozenset(estates.sources().values()) - drawn - fresh
    return {"drawn": drawn, "fresh": fresh}.get(part, others)


def _columns(table: Table) -> dict[str, list[str | None]]:
    values = zip(*generate(table), strict=True)
    return {
        column.header: [value or None for value in found]
        for column, found in zip(table.columns, values, strict=True)
    }


def _gathered(table: LabelledTable) -> Gathered:
    return table, {name: gather(values) for name, values in table.columns.items()}


def augmented() -> list[Example]:
    """Return the columns made for training alone; without a header they weigh little."""
    made = examples(_gathered(table) for table in augment.tables())
    return [replace(e, weight=_MADE if e.named else _MADE_SILENT) for e in made]


def examples(tables: Iterable[Gathered]) -> list[Example]:
    """Return every labelled column twice: as it is, and with its table's headers taken away."""
    found = []
    for table, evidence in tables:
        silent = all(name.startswith("column_") for name in table.columns)
        for named in (False,) if silent else (True, False):
            found += _of(table, evidence, named)
    return found


def as_evidence(table: LabelledTable, evidence: dict[str, Evidence], named: bool) -> TableEvidence:
    """Return a table as a scan would hand it over, or with its names taken away."""
    shown = [
        ColumnEvidence(name=name if named else f"column_{at}", evidence=evidence[name])
        for at, name in enumerate(table.columns, 1)
    ]
    return TableEvidence(name=table.name if named else "", columns=tuple(shown))


def _of(table: LabelledTable, evidence: dict[str, Evidence], named: bool) -> list[Example]:
    whole = as_evidence(table, evidence, named)
    return [
        Example(
            table.name,
            name,
            table.source,
            table.set,
            named,
            table.labels[name],
            features,
            evidence[name],
            _TOLERANT if table.labels[name].tolerate else 1.0,
        )
        for name, features in zip(table.columns, table_features(whole), strict=True)
        if name in table.labels
    ]
