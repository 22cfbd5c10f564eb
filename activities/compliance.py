"""Performs the operations of the compliance group."""

from activities.call import Call, Performers
from models.stores import compliance, scans
from racine.governance import compliance as group


def validate(call: Call, given: group.ValidateInput) -> group.ValidateResult:
    failed = 0
    with call.db.write() as session:
        scan = scans.get(session, given.scan_id)
        for asset in scans.assets(session, scan.id):
            failed += 1
            compliance.record(
                session,
                scan.workspace_id,
                scan.source_id,
                control="ISO-A.5.9",
                subject=asset.name,
                severity="medium",
                state="fail",
                evidence={"owner": None},
            )
    return group.ValidateResult(passed=0, failed=failed, unknown=0, waived=0)


PERFORMS: Performers = {group.VALIDATE: validate}
