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
    """`listing`, `planned` for a plan alone, `open`, `scanning`, `scanned`, `failed`, `cancelled`,
    `published`."""
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
    control: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Orders to the scan while it runs: `paused`, `rows_per_second`, `share`, `skipped`."""
    beat_at: Mapped[datetime | None]
    """When the attempt that holds a connection to the source was last alive; none holds none."""
    ended_at: Mapped[datetime | None]


class ScanAsset(Identified, Table):
    __tablename__ = "scan_assets"
    __table_args__ = (UniqueConstraint("scan_id", "name"),)

    scan_id: Mapped[str] = mapped_column(ForeignKey("scans.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(1000))
    kind: Mapped[str] = mapped_column(String(30))
    state: Mapped[str] = mapped_column(String(20), default="pending")
    """`pending`, `scanned`, `failed` or `cancelled` with its error, `deferred` by the budget to the
    next scan, or `excluded` by the rules."""
    plan: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Whether it is read (`action`), how (`mode`), why, and in which order (`score`)."""
    unchanged: Mapped[bool] = mapped_column(default=False)
    """Its facts are an earlier scan's: it was not read again."""
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


class ScanProgress(Table):
    """How far the reading of one asset has come: what an attempt after a crash goes on from."""

    __tablename__ = "scan_progress"

    asset_id: Mapped[str] = mapped_column(
        ForeignKey("scan_assets.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[list[Any]] = mapped_column(default=list)
    """One element: the connector's own place after the last whole chunk."""
    rows_read: Mapped[int] = mapped_column(BigInteger)
    chunks: Mapped[int]
    sketches: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """A sketch a column of what was read so far; never a value."""


class AssetState(Identified, Table):
    """What the scans of a source know of one asset, from one scan to the next."""

    __tablename__ = "asset_states"
    __table_args__ = (UniqueConstraint("source_id", "name"),)

    source_id: Mapped[str] = mapped_column(ForeignKey("sources.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(1000))
    asset_id: Mapped[str | None] = mapped_column(Id)
    """The scan's asset that holds its facts, None while it was never read."""
    read_at: Mapped[datetime | None]
    fingerprint: Mapped[str] = mapped_column(String(200), default="")
    """The change marker that the source gave when it was read."""
    shape: Mapped[str] = mapped_column(String(64), default="")
    """Digest of the columns' names and types."""
    basis: Mapped[str] = mapped_column(String(64), default="")
    """Digest of the detectors and of how much was read: another one makes it be read again."""
    sensitivity: Mapped[str] = mapped_column(String(20), default="")
    """The highest label of its columns when it was last classified."""
    watermark: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """`column` and `value` up to which rows were read, for types that tell nothing of anybody, and
    the fingerprints of the `parts` that were."""
    left_out: Mapped[int] = mapped_column(default=0)
    """Scans in a row whose budget ended before its turn."""
    sketches: Mapped[dict[str, Any]] = mapped_column(default=dict, deferred=True)
    """A sketch and evidence a column, to answer later questions without reading; never a value."""


class DriftEvent(Identified, Table):
    """One thing that changed between two scans of a source."""

    __tablename__ = "drift_events"
    __table_args__ = (Index(None, "scan_id"), Index(None, "source_id", "created_at"))

    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"))
    source_id: Mapped[str] = mapped_column(ForeignKey("sources.id", ondelete="CASCADE"))
    scan_id: Mapped[str] = mapped_column(ForeignKey("scans.id", ondelete="CASCADE"))
    previous_scan_id: Mapped[str] = mapped_column(Id)
    aspect: Mapped[str] = mapped_column(String(20))
    """`schema`, `volume`, `freshness` or `classification`."""
    kind: Mapped[str] = mapped_column(String(40))
    asset: Mapped[str] = mapped_column(String(1000))
    column: Mapped[str] = mapped_column(String(1000), default="")
    """Empty where the whole asset changed."""
    subject: Mapped[str] = mapped_column(String(100), default="")
    """The classifier of a classification's change, else empty."""
    before: Mapped[str | None] = mapped_column(String(500))
    after: Mapped[str | None] = mapped_column(String(500))
    magnitude: Mapped[float]
    """From 0 to 1: the share of the asset that changed, or of the confidence."""
