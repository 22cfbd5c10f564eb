"""The classification engine's interface: gather evidence, decide on it, list the classifiers."""

from racine.governance.classifications.catalogue import Classifier
from racine.governance.classifications.catalogue import classifiers as catalogue
from racine.governance.classifications.deciding import decide
from racine.governance.classifications.evidence import (
    Classification,
    ClassifySettings,
    ColumnEvidence,
    ColumnVerdict,
    Evidence,
    TableEvidence,
)
from racine.governance.classifications.gathering import gather
from racine.governance.classifications.merging import together

__all__ = [
    "Classification",
    "Classifier",
    "ClassifySettings",
    "ColumnEvidence",
    "ColumnVerdict",
    "Evidence",
    "TableEvidence",
    "catalogue",
    "decide",
    "gather",
    "together",
]
