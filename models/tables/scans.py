"""What one scan found: facts of its run, kept until the catalog publishes them."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Id, Identified, Table


class Scan(Identified, Table):
    __tablename__ = "scans"

    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"))
    source_id: Mapped[str] = mapped_column(ForeignKey("sources.id", ondelete="CASCADE"))
    run_id: Mapped[str | None] = mapped_column(Id)
    state: Mapped[str] = mapped_column(String(20))
    clean: Mapped[bool] = mapped_column(default=False)
    """Whether the enumeration ended without an error: only then does absence mean anything."""
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    ended_at: Mapped[datetime | None]


class ScanAsset(Identified, Table):
    __tablename__ = "scan_assets"
    __table_args__ = (UniqueConstraint("scan_id", "name"),)

    scan_id: Mapped[str] = mapped_column(ForeignKey("scans.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(1000))
    kind: Mapped[str] = mapped_column(String(30))
    state: Mapped[str] = mapped_column(String(20), default="pending")
    error: Mapped[str | None] = mapped_column(String(2000))
    rows: Mapped[int | None] = mapped_column(BigInteger)
    rows_read: Mapped[int | None] = mapped_column(BigInteger)
    attempt: Mapped[int] = mapped_column(default=0)
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)


class ScanColumn(Identified, Table):
    __tablename__ = "scan_columns"
    __table_args__ = (UniqueConstraint("asset_id", "name"),)

    asset_id: Mapped[str] = mapped_column(ForeignKey("scan_assets.id", ondelete="CASCADE"))
    position: Mapped[int]
    name: Mapped[str] = mapped_column(String(1000))
    type: Mapped[str] = mapped_column(String(200))
    profile: Mapped[dict[str, Any]] = mapped_column(default=dict)
    evidence: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Hits per detector and masked shapes; never a value."""
    classifications: Mapped[list[Any]] = mapped_column(default=list)
