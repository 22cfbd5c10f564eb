"""The catalog: assets, their immutable versions, and what people say about them."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Id, Identified, Table, now


class Asset(Identified, Table):
    """The current version of a source, schema, table, view, file, file set or column.

    The id follows from source and names (`racine.governance.catalog.identity`), so that facts and
    verdicts may be kept before the asset is published.
    """

    __tablename__ = "assets"
    __table_args__ = (
        Index(None, "workspace_id", "kind", "state"),
        Index(None, "source_id", "state"),
        Index(None, "parent_id"),
    )

    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"))
    source_id: Mapped[str | None] = mapped_column(ForeignKey("sources.id", ondelete="SET NULL"))
    parent_id: Mapped[str | None] = mapped_column(Id)
    table_id: Mapped[str | None] = mapped_column(Id)
    """Of a column, the asset that has it; of any other asset, itself: what a grant may name."""
    qualified_name: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(String(1000))
    kind: Mapped[str] = mapped_column(String(30))
    state: Mapped[str] = mapped_column(String(20), default="active")
    """`active`, or `gone` when two clean listings lacked it."""
    version: Mapped[int]
    content_hash: Mapped[str] = mapped_column(String(64))
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """The content of the current version."""
    stats: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Measured at the last scan and not part of a version: rows, profile."""
    compliance: Mapped[str] = mapped_column(String(20), default="unknown")
    sensitivity: Mapped[str] = mapped_column(String(20), default="internal")
    updated_at: Mapped[datetime]
    first_seen_at: Mapped[datetime] = mapped_column(default=now)
    last_seen_at: Mapped[datetime] = mapped_column(default=now)
    last_scan_id: Mapped[str | None] = mapped_column(Id)
    missed_scans: Mapped[list[Any]] = mapped_column(default=list)
    """The clean scans in a row that lacked it."""


class AssetVersion(Identified, Table):
    """What an asset was from one moment to the next; never changed, never deleted."""

    __tablename__ = "asset_versions"
    __table_args__ = (UniqueConstraint("asset_id", "number"),)

    asset_id: Mapped[str] = mapped_column(ForeignKey("assets.id", ondelete="CASCADE"))
    number: Mapped[int]
    state: Mapped[str] = mapped_column(String(20))
    content: Mapped[dict[str, Any]]
    cause: Mapped[str] = mapped_column(Id)
    """The scan or the person that made it."""


class AssetFact(Table):
    """A fact that a person entered about an asset, by the vocabulary of the compliance group."""

    __tablename__ = "asset_facts"
    __table_args__ = (Index(None, "source_id"),)

    asset_id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"))
    source_id: Mapped[str] = mapped_column(ForeignKey("sources.id", ondelete="CASCADE"))
    value: Mapped[Any] = mapped_column(JSON().with_variant(JSONB(), "postgresql"))
    entered_by: Mapped[str] = mapped_column(Id)
    entered_at: Mapped[datetime]
    valid_until: Mapped[date | None]
    note: Mapped[str] = mapped_column(String(1000), default="")


class AssetTag(Table):
    __tablename__ = "asset_tags"
    __table_args__ = (Index(None, "workspace_id", "tag"),)

    asset_id: Mapped[str] = mapped_column(
        ForeignKey("assets.id", ondelete="CASCADE"), primary_key=True
    )
    tag: Mapped[str] = mapped_column(String(100), primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"))
