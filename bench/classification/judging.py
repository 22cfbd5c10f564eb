"""Racine's own answers on labelled tables, scored."""

from collections.abc import Iterable

from bench.classification.examples import Gathered, as_evidence
from bench.classification.scoring import Measured
from racine.governance.classifications.deciding import decide
from racine.governance.classifications.evidence import ClassifySettings
from racine.governance.classifications.model import Model

DEFAULT_PACKS = ("international", "us", "uk", "eu")


def judge(
    tables: Iterable[Gathered],
    named: bool,
    packs: tuple[str, ...] = (),
    model: Model | None = None,
    measured: Measured | None = None,
) -> Measured:
    """Return the score of the classifier, by the verdicts that a scan would store."""
    measured = measured or Measured()
    for table, evidence in tables:
        settings = ClassifySettings(packs=packs)
        verdicts = decide(as_evidence(table, evidence, named), settings, model=model)
        for name, verdict in zip(table.columns, verdicts, strict=True):
            if name in table.labels:
                found = [(c.kind, c.confidence) for c in verdict.classifications]
                measured.add(table.labels[name], found)
    return measured
