"""Open findings as a remediation plan needs them."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from models.stores import asset_facts, compliance, sources
from racine.governance.catalog.identity import asset_id
from racine.governance.compliance.controls import controls
from racine.governance.compliance.plan import OpenFinding


def open_findings(
    session: Session, source_id: str, frameworks: Sequence[str] = ()
) -> list[OpenFinding]:
    """Return a source's open findings, worst first, with the control and the owner of each."""
    source = sources.get(session, source_id)
    stated = asset_facts.of_source(session, source_id)
    root = asset_id(source_id)
    by_id = {control.id: control for control in controls([])}
    owners = {asset: facts["owner"].value for asset, facts in stated.items() if "owner" in facts}
    return [
        OpenFinding(
            id=found.id,
            control=by_id[found.control],
            source_id=root,
            source=source.name,
            table_id=found.table_id,
            table=found.table_name or source.name,
            subject_id=found.subject_id,
            subject=found.subject,
            level=found.subject_level,  # type: ignore[arg-type]
            result=found.result,
            evidence=found.evidence,
            missing=tuple(found.missing),
            owner=owners.get(found.table_id or "") or owners.get(root),
        )
        for found in compliance.still_open(session, source_id, frameworks)
        if found.control in by_id
    ]
