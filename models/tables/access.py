"""Users, their sessions and keys, roles and grants."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Id, Identified, Table


class User(Identified, Table):
    __tablename__ = "users"

    email: Mapped[str] = mapped_column(String(254), unique=True)
    """In lower case; what a person signs in with."""
    name: Mapped[str] = mapped_column(String(200))
    password_hash: Mapped[str | None] = mapped_column(String(200))
    """Argon2id; none for people who cannot sign in by password."""
    state: Mapped[str] = mapped_column(String(20), default="active")
    updated_at: Mapped[datetime]


class SignIn(Identified, Table):
    """One session of a person; ending it ends its access and refresh tokens at once."""

    __tablename__ = "sign_ins"
    __table_args__ = (Index(None, "user_id"),)

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    workspace_id: Mapped[str | None] = mapped_column(
        ForeignKey("workspaces.id", ondelete="SET NULL")
    )
    """The workspace it last switched to."""
    origin: Mapped[str] = mapped_column(String(100), default="")
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class RefreshToken(Identified, Table):
    """A token of a sign-in, good for one use; used twice, it ends the sign-in."""

    __tablename__ = "refresh_tokens"

    sign_in_id: Mapped[str] = mapped_column(ForeignKey("sign_ins.id", ondelete="CASCADE"))
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    used_at: Mapped[datetime | None]


class SignInFailures(Table):
    """Failed tries in the current window, by account and by origin."""

    __tablename__ = "sign_in_failures"

    subject: Mapped[str] = mapped_column(String(64), primary_key=True)
    """Hash of what is counted: names nobody."""
    count: Mapped[int]
    window_started_at: Mapped[datetime]


class ApiKey(Identified, Table):
    __tablename__ = "api_keys"
    __table_args__ = (UniqueConstraint("workspace_id", "user_id", "name"),)

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(100))
    prefix: Mapped[str] = mapped_column(String(20))
    """The first characters, which tell keys apart without revealing them."""
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    permissions: Mapped[list[Any]]
    """Patterns that narrow what its owner may."""
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]


class Role(Identified, Table):
    __tablename__ = "roles"
    __table_args__ = (UniqueConstraint("owner", "name"),)

    owner: Mapped[str] = mapped_column(Id)
    """The workspace whose role it is, `tenant` for one that all may use."""
    name: Mapped[str] = mapped_column(String(60))
    title: Mapped[str] = mapped_column(String(200), default="")
    permissions: Mapped[list[Any]]
    built_in: Mapped[bool] = mapped_column(default=False)
    updated_at: Mapped[datetime]


class Grant(Identified, Table):
    """A role given to a user, or denied, on a scope and all below it."""

    __tablename__ = "grants"
    __table_args__ = (
        UniqueConstraint("user_id", "role_id", "scope", "denies"),
        Index(None, "scope"),
    )

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    role_id: Mapped[str] = mapped_column(ForeignKey("roles.id", ondelete="CASCADE"))
    scope: Mapped[str] = mapped_column(Id)
    """`tenant`, or the id of a workspace, source or asset."""
    workspace_id: Mapped[str | None] = mapped_column(
        ForeignKey("workspaces.id", ondelete="CASCADE")
    )
    """The workspace the scope lies in; none for the tenant."""
    denies: Mapped[bool] = mapped_column(default=False)
    granted_by: Mapped[str] = mapped_column(Id)
    expires_at: Mapped[datetime | None]
