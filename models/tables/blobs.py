"""Large values, kept by the hash of their content."""

from datetime import datetime

from sqlalchemy import ForeignKey, ForeignKeyConstraint, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Id, Table, now


class Blob(Table):
    __tablename__ = "blobs"

    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 of the content, in hexadecimal."""
    media_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int]
    content: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(default=now)
    written_at: Mapped[datetime] = mapped_column(default=now)
    """When it was last written: what refers to it may not be there yet."""


class BlobUse(Table):
    """A run that may refer to a blob, from its history or its rows."""

    __tablename__ = "blob_uses"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "digest"],
            ["blobs.workspace_id", "blobs.digest"],
            name="fk_blob_uses_blob",
            ondelete="CASCADE",
        ),
    )

    workspace_id: Mapped[str] = mapped_column(Id, primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    run_id: Mapped[str] = mapped_column(Id, primary_key=True)
