"""A table of plain values, classified in one call."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import pytest

from racine.governance.classifications.engine import (
    ClassifySettings,
    ColumnEvidence,
    TableEvidence,
    decide,
    gather,
)

Kinds = dict[str, list[str]]
Classify = Callable[..., Kinds]


def found_kinds(
    columns: Mapping[str, Sequence[str]],
    table: str = "",
    settings: ClassifySettings | None = None,
) -> Kinds:
    """Return column -> the kinds it is said to hold."""
    shown = tuple(
        ColumnEvidence(name=name, evidence=gather(Counter(v for v in values if v)))
        for name, values in columns.items()
    )
    verdicts = decide(TableEvidence(name=table, columns=shown), settings)
    return {v.name: [f.kind for f in v.classifications] for v in verdicts}


@pytest.fixture
def classify() -> Classify:
    return found_kinds
