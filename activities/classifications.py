"""Performs the operations of the classification group."""

from collections import Counter
from typing import Any

from activities.call import Call, Performers
from models.stores import scans
from racine.governance import classifications as group
from racine.governance.classifications.engine import (
    ColumnEvidence,
    Evidence,
    TableEvidence,
    decide,
)


def classify(call: Call, given: group.ClassifyInput) -> group.ClassifyResult:
    total, kinds = 0, Counter[str]()
    with call.db.write() as session:
        for asset in scans.assets(session, given.scan_id):
            columns = list(scans.columns(session, asset.id))
            shown = [
                ColumnEvidence(name=c.name, type=c.type, evidence=_evidence(c.evidence))
                for c in columns
            ]
            verdicts = decide(TableEvidence(name=asset.name, columns=tuple(shown)))
            for column, verdict in zip(columns, verdicts, strict=True):
                total += 1
                found = [c.model_dump(mode="json") for c in verdict.classifications]
                column.classifications = found
                kinds.update(c.kind for c in verdict.classifications)
    return group.ClassifyResult(columns=total, classified=kinds.total(), by_kind=dict(kinds))


def _evidence(stored: dict[str, Any]) -> Evidence | None:
    return Evidence.model_validate(stored) if stored else None


PERFORMS: Performers = {group.CLASSIFY: classify}
