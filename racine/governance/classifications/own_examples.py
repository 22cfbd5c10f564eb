"""Classifiers on their own examples: values put to their checks, columns put to a verdict."""

from collections import Counter
from collections.abc import Iterable

from racine.governance.classifications.catalogue import Classifier, ColumnExample, classifiers
from racine.governance.classifications.deciding import decide
from racine.governance.classifications.evidence import ColumnEvidence, TableEvidence
from racine.governance.classifications.gathering import accepts, gather


def failures(entry: Classifier) -> Iterable[str]:
    """Yield each example that the classifier judges otherwise than stated, in words."""
    yield from (f"{entry.id} refuses {v}" for v in entry.matching if not accepts(entry, v))
    yield from (f"{entry.id} accepts {v}" for v in entry.rejecting if accepts(entry, v))
    for column in entry.matching_columns:
        if not holds(entry, column):
            yield f"{entry.id} does not see the column {column.header}"
    for column in entry.rejecting_columns:
        if holds(entry, column):
            yield f"{entry.id} takes the column {column.header} for its own"


def holds(entry: Classifier, column: ColumnExample) -> bool:
    """Tell whether the column in question is said to hold what the classifier names."""
    own = (entry,) if entry.pack == "custom" else ()
    bank = (*classifiers(), *own)
    columns = tuple(
        ColumnEvidence(name=header, evidence=gather(Counter(values), using=bank))
        for header, values in column.columns.items()
    )
    verdict = decide(TableEvidence(columns=columns), own=own)[0]
    return entry.id in {found.id for found in verdict.classifications}
