from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Id, Identified, Table


class OwnClassifier(Identified, Table):
    """A classifier that users of a workspace declared, beside the built-in ones."""

    __tablename__ = "classifiers"
    __table_args__ = (UniqueConstraint("workspace_id", "name"),)

    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"))
    name: Mapped[str] = mapped_column(String(100))
    """The classifier's id, as verdicts carry it."""
    entry: Mapped[dict[str, Any]]
    """Its declaration: a pattern or a word list, never code."""
    changed_by: Mapped[str] = mapped_column(Id)
    updated_at: Mapped[datetime]
