"""Queries over findings."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables.compliance import Finding
from racine.ids import new_id


def record(
    session: Session, workspace_id: str, source_id: str, *, control: str, subject: str,
    severity: str, state: str, evidence: dict[str, Any],
) -> Finding:  # fmt: skip
    """Store a control's verdict on a subject in place of the last one."""
    finding = session.scalar(
        select(Finding).where(
            Finding.workspace_id == workspace_id,
            Finding.control == control,
            Finding.subject == subject,
        )
    )
    if finding is None:
        finding = Finding(
            id=new_id("fnd"), workspace_id=workspace_id, control=control, subject=subject
        )
        session.add(finding)
    finding.source_id, finding.severity, finding.state = source_id, severity, state
    finding.evidence, finding.updated_at = evidence, datetime.now(UTC)
    return finding
