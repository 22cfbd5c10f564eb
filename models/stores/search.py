"""The full-text index over the catalog: one interface over FTS5 and tsvector.

On SQLite a row's number is 63 bits of its asset id's hash, because FTS5 finds a row to replace by
number alone; two assets that shared one (chance 1 in 10^7 for a million assets) would share an
entry.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, column, desc, func, literal, select, table, text
from sqlalchemy.orm import Session

from models.tables.catalog import Asset
from racine.governance.catalog import words

_INDEX = table("asset_search", column("asset_id"), column("document"), column("asset_search"))

_SQLITE = text(
    "INSERT OR REPLACE INTO asset_search (rowid, asset_id, name, path, words) "
    "VALUES (:number, :id, :name, :path, :words)"
)
_POSTGRESQL = text(
    "INSERT INTO asset_search (asset_id, document) VALUES (:id, "
    "setweight(to_tsvector('simple', :name), 'A') || setweight(to_tsvector('simple', :path), 'B') "
    "|| setweight(to_tsvector('simple', :words), 'C')) "
    "ON CONFLICT (asset_id) DO UPDATE SET document = excluded.document"
)


@dataclass(frozen=True)
class Entry:
    """What an asset is found by: its name first, then where it lies, then what is said of it."""

    asset_id: str
    name: str
    path: str
    words: str = ""


def put(session: Session, entries: Sequence[Entry]) -> None:
    """Index assets, in place of what was indexed of them."""
    if not entries:
        return
    statement = _POSTGRESQL if _is_postgresql(session) else _SQLITE
    session.execute(statement, [_row(entry) for entry in entries])


def find(
    session: Session,
    visible: ColumnElement[bool],
    question: str,
    *,
    kinds: Sequence[str] = (),
    limit: int = 50,
    offset: int = 0,
) -> list[Asset]:
    """Return the active assets that hold every word asked for, or begin with it, best first."""
    asked = words.asked(question)
    if not asked:
        return []
    matches, rank = _match(session, asked)
    query = (
        select(Asset)
        .join(_INDEX, _INDEX.c.asset_id == Asset.id)
        .where(matches, visible, Asset.state == "active")
    )
    if kinds:
        query = query.where(Asset.kind.in_(kinds))
    return list(session.scalars(query.order_by(rank, Asset.id).limit(limit).offset(offset)))


def _match(session: Session, asked: Sequence[str]) -> tuple[ColumnElement[bool], Any]:
    if _is_postgresql(session):
        query = func.to_tsquery("simple", " & ".join(f"{word}:*" for word in asked))
        return (
            _INDEX.c.document.op("@@")(query),
            desc(func.ts_rank(_INDEX.c.document, query)),
        )
    question = " AND ".join(f'"{word}"*' for word in asked)
    # The weights stand for asset_id, name, path, words; bm25 is smaller for a better match.
    rank = func.bm25(text("asset_search"), 0, 10, 3, 1)
    return _INDEX.c.asset_search.op("MATCH")(literal(question)), rank


def _row(entry: Entry) -> dict[str, Any]:
    number = int.from_bytes(hashlib.sha256(entry.asset_id.encode()).digest()[:8]) >> 1
    return {
        "number": number,
        "id": entry.asset_id,
        "name": " ".join(words.words(entry.name)),
        "path": " ".join(words.words(entry.path)),
        "words": " ".join(words.words(entry.words)),
    }


def _is_postgresql(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"
