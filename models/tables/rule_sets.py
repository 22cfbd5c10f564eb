from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Identified, Table


class RuleSet(Identified, Table):
    """A scan rule set by name; what it says is in its versions."""

    __tablename__ = "rule_sets"
    __table_args__ = (UniqueConstraint("workspace_id", "name"),)

    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"))
    name: Mapped[str] = mapped_column(String(100))
    version: Mapped[int]


class RuleSetVersion(Identified, Table):
    """One version's rules; never changed, so that a scan can say what it obeyed."""

    __tablename__ = "rule_set_versions"
    __table_args__ = (UniqueConstraint("rule_set_id", "number"),)

    rule_set_id: Mapped[str] = mapped_column(ForeignKey("rule_sets.id", ondelete="CASCADE"))
    number: Mapped[int]
    content: Mapped[dict[str, Any]]
    created_by: Mapped[str] = mapped_column(String(40))
