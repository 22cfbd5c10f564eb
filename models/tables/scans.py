"""What one scan found: facts of its run, kept until the catalog publishes them."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Id, Identified, Table


class Scan(Identified, Table):
    __tablename__ = "scans"
    __table_args__ = (UniqueConstraint("run_id", "task_key"), Index(None, "source_id"))

    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"))
    source_id: Mapped[str] = mapped_column(ForeignKey("sources.id", ondelete="CASCADE"))
    run_id: Mapped[str | None] = mapped_column(Id)
    task_key: Mapped[str] = mapped_column(String(100), default="")
    """With the run, what makes a second attempt find the scan that the first one opened."""
    state: Mapped[str] = mapped_column(String(20))
    """`open`, `scanning`, `scanned`, `failed` or `published`."""
    holder: Mapped[str] = mapped_column(String(200), default="")
    """The attempt that may write; an older one that still runs is refused."""
    clean: Mapped[bool] = mapped_column(default=False)
    """Whether the enumeration ended without an error: only then does absence mean anything."""
    rule_set_id: Mapped[str | None] = mapped_column(Id)
    rule_set_version: Mapped[int | None]
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """The rules it obeys, pinned."""
    errors: Mapped[list[Any]] = mapped_column(default=list)
    """What went wrong in the enumeration."""
    drift: Mapped[dict[str, Any]] = mapped_column(default=dict)
    ended_at: Mapped[datetime | None]


class ScanAsset(Identified, Table):
    __tablename__ = "scan_assets"
    __table_args__ = (UniqueConstraint("scan_id", "name"),)

    scan_id: Mapped[str] = mapped_column(ForeignKey("scans.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(1000))
    kind: Mapped[str] = mapped_column(String(30))
    state: Mapped[str] = mapped_column(String(20), default="pending")
    """`pending`, `scanned`, `failed` with its error, or `excluded` by the rules."""
    error: Mapped[str | None] = mapped_column(String(2000))
    rows: Mapped[int | None] = mapped_column(BigInteger)
    rows_read: Mapped[int | None] = mapped_column(BigInteger)
    fingerprint: Mapped[str] = mapped_column(String(200), default="")
    """Changes when the asset did; empty where the source cannot tell."""
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """How the connector reads it (`details`), what decided (`rule`), ceilings met (`limits`)."""


class ScanColumn(Identified, Table):
    __tablename__ = "scan_columns"
    __table_args__ = (UniqueConstraint("asset_id", "name"),)

    asset_id: Mapped[str] = mapped_column(ForeignKey("scan_assets.id", ondelete="CASCADE"))
    position: Mapped[int]
    name: Mapped[str] = mapped_column(String(1000))
    type: Mapped[str] = mapped_column(String(200))
    primary_key: Mapped[bool] = mapped_column(default=False)
    references: Mapped[str | None] = mapped_column(String(2100))
    """`table.column` that a declared foreign key points at."""
    profile: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Counts, lengths, rounded numbers and masked shapes; never a value."""
    evidence: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Hits per detector and masked shapes; never a value."""
    classifications: Mapped[list[Any]] = mapped_column(default=list)
