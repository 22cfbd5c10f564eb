"""Cursor pagination over (created_at, id), newest first."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, tuple_
from sqlalchemy.orm import Session

from models.tables.base import Identified
from racine.errors import InvalidInput

RowT = TypeVar("RowT", bound=Identified)

MAX_LIMIT = 200


@dataclass(frozen=True)
class Page(Generic[RowT]):
    items: Sequence[RowT]
    next_cursor: str | None


def page(
    session: Session,
    query: Select[RowT],
    table: type[RowT],
    *,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[RowT]:
    """Return the rows after `cursor`; raise InvalidInput when it is none of ours."""
    limit = max(1, min(limit, MAX_LIMIT))
    key: Any = tuple_(table.created_at, table.id)
    if cursor:
        query = query.where(key < tuple_(*_decode(cursor)))
    ordered = query.order_by(table.created_at.desc(), table.id.desc()).limit(limit + 1)
    rows = list(session.scalars(ordered))
    more = len(rows) > limit
    return Page(rows[:limit], _encode(rows[limit - 1]) if more else None)


def _encode(row: Identified) -> str:
    return base64.urlsafe_b64encode(f"{row.created_at.isoformat()}|{row.id}".encode()).decode()


def _decode(cursor: str) -> tuple[datetime, str]:
    try:
        at, _, row_id = base64.urlsafe_b64decode(cursor).decode().partition("|")
        return datetime.fromisoformat(at), row_id
    except (ValueError, binascii.Error):
        raise InvalidInput(
            "The cursor is not one that this list gave out.", next_step="Start without a cursor."
        ) from None
