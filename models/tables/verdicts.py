from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Id, Identified, Table


class Verdict(Identified, Table):
    """What one classifier says about one column, and what a person said to that.

    A verdict with a person's decision is pinned: scans refresh its evidence and leave its state.
    """

    __tablename__ = "verdicts"
    __table_args__ = (
        UniqueConstraint("column_id", "classifier"),
        Index(None, "workspace_id", "state", "need"),
        Index(None, "source_id", "asset_name"),
    )

    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"))
    source_id: Mapped[str] = mapped_column(ForeignKey("sources.id", ondelete="CASCADE"))
    table_id: Mapped[str] = mapped_column(Id)
    column_id: Mapped[str] = mapped_column(Id)
    asset_name: Mapped[str] = mapped_column(String(1000))
    column_name: Mapped[str] = mapped_column(String(1000))
    classifier: Mapped[str] = mapped_column(String(100))
    kind: Mapped[str] = mapped_column(String(100))
    state: Mapped[str] = mapped_column(String(20))
    """`suggested`, `confirmed` or `rejected`."""
    applied: Mapped[bool]
    """It reached its threshold, or a person confirmed it: the catalog shows it."""
    confidence: Mapped[float]
    need: Mapped[float]
    """How much a person's decision would tell, 0 to 1: the review queue's order."""
    sensitivity: Mapped[str] = mapped_column(String(20))
    evidence: Mapped[dict[str, Any]] = mapped_column(default=dict)
    detector_version: Mapped[str] = mapped_column(String(60), default="")
    fingerprint: Mapped[str] = mapped_column(String(64))
    """Of all that a scan says: the same again is not written again."""
    scan_id: Mapped[str | None] = mapped_column(Id)
    last_seen_at: Mapped[datetime]
    decided_by: Mapped[str | None] = mapped_column(Id)
    decided_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(String(1000), default="")
