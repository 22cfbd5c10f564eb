"""Racine's own answers on labelled tables, scored."""

from collections.abc import Iterable

from bench.classification.examples import Gathered, as_evidence
from bench.classification.scoring import Measured
from racine.governance.classifications.catalogue import classifiers
from racine.governance.classifications.deciding import decide
from racine.governance.classifications.evidence import ClassifySettings
from racine.governance.classifications.model import Model
from racine.governance.scan_rule_sets.rules import SYSTEM

DEFAULT = ClassifySettings(
    packs=SYSTEM.packs, disabled=SYSTEM.disabled, thresholds=SYSTEM.thresholds
)
"""What `racine scan` without options and the rule set `system` judge by: every pack takes part."""
EVERY_PACK = ClassifySettings(packs=tuple(sorted({entry.pack for entry in classifiers()})))
FEW_PACKS = ClassifySettings(packs=("international", "us", "uk", "eu"))


def judge(
    tables: Iterable[Gathered],
    named: bool,
    settings: ClassifySettings = DEFAULT,
    model: Model | None = None,
    measured: Measured | None = None,
) -> Measured:
    """Return the score of the classifier, by the verdicts that a scan would store."""
    measured = measured or Measured()
    for table, evidence in tables:
        verdicts = decide(as_evidence(table, evidence, named), settings, model=model)
        for name, verdict in zip(table.columns, verdicts, strict=True):
            if name in table.labels:
                found = [c.kind for c in verdict.classifications]
                ranked = [*verdict.classifications, *verdict.candidates]
                measured.add(table.labels[name], found, [(c.kind, c.confidence) for c in ranked])
    return measured
