"""Performs the operations of the classification group."""

from collections import Counter

from activities.call import Call, Performers
from models.stores import scans
from racine.governance import classifications as group
from racine.governance.classifications.engine import decide


def classify(call: Call, given: group.ClassifyInput) -> group.ClassifyResult:
    total, kinds = 0, Counter[str]()
    with call.db.write() as session:
        for asset in scans.assets(session, given.scan_id):
            for column in scans.columns(session, asset.id):
                total += 1
                column.classifications = decide(column.name, column.evidence)
                kinds.update(found["kind"] for found in column.classifications)
    return group.ClassifyResult(columns=total, classified=kinds.total(), by_kind=dict(kinds))


PERFORMS: Performers = {group.CLASSIFY: classify}
