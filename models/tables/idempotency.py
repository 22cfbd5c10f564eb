"""Requests that must have one effect, however often they are sent."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Id, Identified, Table


class IdempotentRequest(Identified, Table):
    __tablename__ = "idempotent_requests"
    __table_args__ = (UniqueConstraint("caller", "key"), Index(None, "expires_at"))

    caller: Mapped[str] = mapped_column(String(90))
    """User and workspace: one caller's key says nothing about another's."""
    key: Mapped[str] = mapped_column(String(255))
    fingerprint: Mapped[str] = mapped_column(String(64))
    """Hash of method, address and body."""
    state: Mapped[str] = mapped_column(String(20), default="open")
    """`open`, `effected` once its effect is committed, `answered` once its answer is kept."""
    holder: Mapped[str] = mapped_column(Id)
    """The try that may carry it out; another takes over when its lease has run out."""
    leased_until: Mapped[datetime]
    expires_at: Mapped[datetime]
    status: Mapped[int | None]
    headers: Mapped[dict[str, Any] | None]
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Encrypted: an answer may show a secret that is shown once."""
