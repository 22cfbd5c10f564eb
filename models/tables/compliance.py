"""Findings, the waivers that excuse them, and what each validation counted."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Id, Identified, Table


class Finding(Identified, Table):
    """One control that one subject does not pass: open until it passes, or waived for a time."""

    __tablename__ = "findings"
    __table_args__ = (
        UniqueConstraint("source_id", "control", "subject_id"),
        Index(None, "workspace_id", "state", "severity_rank"),
    )

    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"))
    source_id: Mapped[str] = mapped_column(ForeignKey("sources.id", ondelete="CASCADE"))
    control: Mapped[str] = mapped_column(String(60))
    framework: Mapped[str] = mapped_column(String(60))
    subject_id: Mapped[str] = mapped_column(Id)
    table_id: Mapped[str | None] = mapped_column(Id)
    table_name: Mapped[str | None] = mapped_column(String(1000))
    subject: Mapped[str] = mapped_column(Text)
    subject_level: Mapped[str] = mapped_column(String(20))
    severity: Mapped[str] = mapped_column(String(20))
    severity_rank: Mapped[int]
    result: Mapped[str] = mapped_column(String(20))
    """`fail` or `unknown`; once closed, `pass` or `not_applicable`."""
    state: Mapped[str] = mapped_column(String(20))
    """`open`, `waived` or `closed`."""
    message: Mapped[str] = mapped_column(String(1000))
    evidence: Mapped[dict[str, Any]] = mapped_column(default=dict)
    missing: Mapped[list[Any]] = mapped_column(default=list)
    fingerprint: Mapped[str] = mapped_column(String(64))
    """Of all that a validation says: the same again is not written again."""
    scan_id: Mapped[str] = mapped_column(Id)
    opened_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    closed_because: Mapped[str | None] = mapped_column(String(40))


class Waiver(Identified, Table):
    """Leave to fail one control on one subject until a day; approved by another than asked."""

    __tablename__ = "waivers"
    __table_args__ = (Index(None, "workspace_id", "state"),)

    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"))
    finding_id: Mapped[str] = mapped_column(ForeignKey("findings.id", ondelete="CASCADE"))
    reason: Mapped[str] = mapped_column(String(2000))
    compensating_control: Mapped[str] = mapped_column(String(2000), default="")
    requested_by: Mapped[str] = mapped_column(Id)
    decided_by: Mapped[str | None] = mapped_column(Id)
    decided_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(20))
    """`requested`, `approved`, `refused`, `revoked` or `expired`."""


class ControlCount(Identified, Table):
    """How many subjects of a source stood how to one control at its last validation."""

    __tablename__ = "control_counts"
    __table_args__ = (UniqueConstraint("source_id", "control"),)

    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"))
    source_id: Mapped[str] = mapped_column(ForeignKey("sources.id", ondelete="CASCADE"))
    framework: Mapped[str] = mapped_column(String(60))
    control: Mapped[str] = mapped_column(String(60))
    severity: Mapped[str] = mapped_column(String(20))
    passed: Mapped[int]
    failed: Mapped[int]
    unknown: Mapped[int]
    waived: Mapped[int]
    scan_id: Mapped[str] = mapped_column(Id)
    validated_at: Mapped[datetime]
