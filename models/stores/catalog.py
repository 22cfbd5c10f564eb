"""Queries over the catalog's assets and their versions."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, select, update
from sqlalchemy.orm import Session

from models.stores import search
from models.tables.catalog import Asset as Asset
from models.tables.catalog import AssetTag
from models.tables.catalog import AssetVersion as AssetVersion
from racine.errors import NotFound
from racine.governance.catalog.content import digest
from racine.ids import new_id

SCOPE = {"workspace": Asset.workspace_id, "source": Asset.source_id, "asset": Asset.table_id}
"""Which columns carry the scopes that a grant may name."""

_CHUNK = 5000
_ASSETS = Asset.metadata.tables[Asset.__tablename__]
_VERSIONS = Asset.metadata.tables[AssetVersion.__tablename__]
"""Written as tables, not as objects, where there are thousands of rows."""


@dataclass(frozen=True)
class Published:
    """An asset as a scan or a person would have it; `content` is what a version keeps."""

    id: str
    parent_id: str | None
    table_id: str | None
    qualified_name: str
    name: str
    kind: str
    content: dict[str, Any]
    stats: dict[str, Any] = field(default_factory=dict)
    compliance: str = "unknown"
    sensitivity: str = "internal"
    words: str = ""


@dataclass(frozen=True)
class Cause:
    """Whose catalog it is, and the scan or the person that changes it."""

    workspace_id: str
    source_id: str
    by: str
    scan_id: str | None = None


def put(session: Session, cause: Cause, items: Sequence[Published]) -> Counter[str]:
    """Publish assets; count `created`, `updated`, `restored` and `unchanged` ones.

    The same content again makes no version. Everything is written in bulk.
    """
    standing = _standing(session, [item.id for item in items])
    outcomes = Counter[str]()
    new: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    made: list[dict[str, Any]] = []
    indexed: list[search.Entry] = []
    for item in items:
        old, hashed = standing.get(item.id), digest(item.content)
        outcome = _outcome(old, hashed)
        outcomes[outcome] += 1
        values = _values(cause, item, hashed, old, outcome)
        if outcome == "unchanged":
            if old is not None and old.stats != item.stats:
                changed.append({"id": item.id, "stats": item.stats})
            continue
        (new if outcome == "created" else changed).append(values)
        made.append(_version(item.id, values["version"], "active", item.content, cause))
        indexed.append(search.Entry(item.id, item.name, item.qualified_name, item.words))
    _write(session, new, changed, made)
    search.put(session, indexed)
    _seen(session, cause, [item.id for item in items])
    return outcomes


def reindex(session: Session, items: Sequence[Published]) -> None:
    """Index assets anew: what is said of them changes without a new version."""
    search.put(session, [search.Entry(i.id, i.name, i.qualified_name, i.words) for i in items])


def _standing(session: Session, ids: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for start in range(0, len(ids), _CHUNK):
        rows = session.execute(
            select(Asset.id, Asset.content_hash, Asset.version, Asset.state, Asset.stats).where(
                Asset.id.in_(ids[start : start + _CHUNK])
            )
        )
        found.update((row.id, row) for row in rows)
    return found


def _outcome(old: Any, hashed: str) -> str:
    if old is None:
        return "created"
    if old.state == "gone":
        return "restored"
    return "unchanged" if old.content_hash == hashed else "updated"


def _values(cause: Cause, item: Published, hashed: str, old: Any, outcome: str) -> dict[str, Any]:
    now = datetime.now(UTC)
    values: dict[str, Any] = {
        "id": item.id,
        "name": item.name,
        "qualified_name": item.qualified_name,
        "kind": item.kind,
        "state": "active",
        "version": old.version + 1 if old else 1,
        "content_hash": hashed,
        "facts": item.content,
        "stats": item.stats,
        "compliance": item.compliance,
        "sensitivity": item.sensitivity,
        "updated_at": now,
        "missed_scans": [],
    }
    if outcome != "created":
        return values
    return values | {
        "workspace_id": cause.workspace_id,
        "source_id": cause.source_id,
        "parent_id": item.parent_id,
        "table_id": item.table_id,
        "created_at": now,
        "first_seen_at": now,
        "last_seen_at": now,
    }


def _version(
    asset_id: str, number: int, state: str, content: dict[str, Any], cause: Cause
) -> dict[str, Any]:
    return {
        "id": new_id("av"),
        "created_at": datetime.now(UTC),
        "asset_id": asset_id,
        "number": number,
        "state": state,
        "content": content,
        "cause": cause.by,
    }


def _write(
    session: Session,
    new: Sequence[dict[str, Any]],
    changed: Sequence[dict[str, Any]],
    versions: Sequence[dict[str, Any]],
) -> None:
    if new:
        session.execute(_ASSETS.insert(), new)
    if changed:
        session.execute(update(Asset), changed)
    if versions:
        session.execute(_VERSIONS.insert(), versions)


def _seen(session: Session, cause: Cause, ids: Sequence[str]) -> None:
    if cause.scan_id is None:
        return
    for start in range(0, len(ids), _CHUNK):
        session.execute(
            update(Asset)
            .where(Asset.id.in_(ids[start : start + _CHUNK]))
            .values(last_seen_at=datetime.now(UTC), last_scan_id=cause.scan_id, missed_scans=[])
            .execution_options(synchronize_session=False)
        )


def missed(session: Session, source_id: str) -> dict[str, list[str]]:
    """Return a source's active assets, not columns, with the scans that lacked each so far."""
    rows = session.execute(
        select(Asset.id, Asset.missed_scans).where(
            Asset.source_id == source_id,
            Asset.state == "active",
            Asset.kind.not_in(("source", "schema", "column")),
        )
    )
    return {row.id: list(row.missed_scans) for row in rows}


def missed_columns(
    session: Session, source_id: str, table_ids: Collection[str]
) -> dict[str, list[str]]:
    """Return the active columns of some of a source's assets, as `missed` does."""
    rows = session.execute(
        select(Asset.id, Asset.table_id, Asset.missed_scans).where(
            Asset.source_id == source_id, Asset.state == "active", Asset.kind == "column"
        )
    )
    return {row.id: list(row.missed_scans) for row in rows if row.table_id in table_ids}


def note_missed(session: Session, found: Mapping[str, Sequence[str]]) -> None:
    if found:
        rows = [{"id": asset, "missed_scans": list(scans)} for asset, scans in found.items()]
        session.execute(update(Asset), rows)


def retire(session: Session, cause: Cause, ids: Sequence[str]) -> list[str]:
    """Take assets and their columns for gone, with a last version each; return all their ids."""
    rows = _active_within(session, ids)
    changed = [{"id": r.id, "state": "gone", "version": r.version + 1,
                "updated_at": datetime.now(UTC)} for r in rows]  # fmt: skip
    versions = [_version(r.id, r.version + 1, "gone", r.facts, cause) for r in rows]
    _write(session, [], changed, versions)
    return [row.id for row in rows]


def _active_within(session: Session, ids: Sequence[str]) -> list[Any]:
    found: dict[str, Any] = {}
    for start in range(0, len(ids), _CHUNK):
        part = ids[start : start + _CHUNK]
        rows = session.execute(
            select(Asset.id, Asset.version, Asset.facts).where(
                Asset.state == "active", Asset.id.in_(part) | Asset.table_id.in_(part)
            )
        )
        found.update((row.id, row) for row in rows)
    return list(found.values())


def get(session: Session, asset_id: str) -> Asset:
    """Return the asset; raise NotFound."""
    found = session.get(Asset, asset_id)
    if found is None:
        raise NotFound(f"There is no asset {asset_id!r}.")
    return found


def matching(
    visible: ColumnElement[bool],
    *,
    kind: str | None = None,
    source_id: str | None = None,
    parent_id: str | None = None,
    tag: str | None = None,
    compliance: str | None = None,
    sensitivity: str | None = None,
    state: str = "active",
) -> Select[Asset]:
    """Return the query of the assets that the asker may see and asked for."""
    query = select(Asset).where(visible, Asset.state == state)
    wanted = {
        Asset.kind: kind,
        Asset.source_id: source_id,
        Asset.parent_id: parent_id,
        Asset.compliance: compliance,
        Asset.sensitivity: sensitivity,
    }
    for column, value in wanted.items():
        if value is not None:
            query = query.where(column == value)
    if tag is not None:
        tagged = select(AssetTag.asset_id).where(AssetTag.tag == tag)
        query = query.where(Asset.id.in_(tagged))
    return query


def children(session: Session, asset_id: str) -> list[Asset]:
    rows = select(Asset).where(Asset.parent_id == asset_id, Asset.state == "active")
    return list(session.scalars(rows.order_by(Asset.name)))


def versions(asset_id: str) -> Select[AssetVersion]:
    return select(AssetVersion).where(AssetVersion.asset_id == asset_id)


def version(session: Session, asset_id: str, number: int) -> AssetVersion:
    found = session.scalar(versions(asset_id).where(AssetVersion.number == number))
    if found is None:
        raise NotFound(f"Asset {asset_id!r} has no version {number}.")
    return found


def version_as_of(session: Session, asset_id: str, at: datetime) -> AssetVersion:
    """Return the version that held at a moment; raise NotFound before the first."""
    rows = versions(asset_id).where(AssetVersion.created_at <= at)
    found = session.scalar(rows.order_by(AssetVersion.number.desc()).limit(1))
    if found is None:
        raise NotFound(f"Asset {asset_id!r} was not in the catalog at {at.isoformat()}.")
    return found


def tags(session: Session, asset_ids: Sequence[str]) -> dict[str, list[str]]:
    """Return the tags of assets, sorted."""
    rows = session.execute(
        select(AssetTag.asset_id, AssetTag.tag)
        .where(AssetTag.asset_id.in_(asset_ids))
        .order_by(AssetTag.tag)
    )
    found: dict[str, list[str]] = {}
    for asset_id, tag in rows:
        found.setdefault(asset_id, []).append(tag)
    return found


def set_tags(session: Session, asset: Asset, wanted: Sequence[str]) -> None:
    session.execute(delete(AssetTag).where(AssetTag.asset_id == asset.id))
    session.add_all(
        AssetTag(asset_id=asset.id, tag=tag, workspace_id=asset.workspace_id)
        for tag in sorted(set(wanted))
    )
    session.flush()


def first_seen(session: Session, source_id: str) -> dict[str, datetime]:
    rows = session.execute(
        select(Asset.id, Asset.first_seen_at).where(
            Asset.source_id == source_id, Asset.kind != "column"
        )
    )
    return {row.id: row.first_seen_at for row in rows}
