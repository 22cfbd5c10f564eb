"""The activity log: a hash chain for each workspace."""

from typing import Any

from sqlalchemy import BigInteger, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Id, Identified, Table


class Activity(Identified, Table):
    """One mutating or denied call; rows are added, never changed."""

    __tablename__ = "activities"
    __table_args__ = (
        UniqueConstraint("chain", "number"),
        Index(None, "chain", "created_at"),
        Index(None, "chain", "object_id"),
        Index(None, "chain", "actor_id"),
    )

    chain: Mapped[str] = mapped_column(Id)
    """The workspace, or `tenant` for what concerns none."""
    number: Mapped[int] = mapped_column(BigInteger)
    actor_id: Mapped[str] = mapped_column(Id)
    actor_name: Mapped[str] = mapped_column(String(254))
    action: Mapped[str] = mapped_column(String(100))
    object_id: Mapped[str] = mapped_column(String(200))
    outcome: Mapped[str] = mapped_column(String(20))
    """`done` or `denied`."""
    before: Mapped[dict[str, Any] | None]
    after: Mapped[dict[str, Any] | None]
    request_id: Mapped[str] = mapped_column(String(80))
    origin: Mapped[str] = mapped_column(String(100))
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class ChainHead(Table):
    """The newest link of a chain; locking its row orders the writers."""

    __tablename__ = "activity_chains"

    chain: Mapped[str] = mapped_column(Id, primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[str] = mapped_column(String(64))
