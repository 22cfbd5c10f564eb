"""Brings published assets in line with what people said of them since the last scan."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.stores import catalog, verdicts
from models.stores.catalog import Cause, Published
from models.tables.catalog import Asset, AssetFact, AssetTag
from racine.governance.compliance.categories import highest, label_of, legal_name

_CHUNK = 5000
_TEXTS = ("owner", "purpose")


def refresh(session: Session, by: str, asset_ids: Collection[str]) -> None:
    """Give assets the labels, and columns the kinds, that hold now, each as a new version.

    A column's table follows it. What is not published yet is left for the publication.
    """
    session.flush()
    rows = _active(session, asset_ids)
    tables = _active(session, [row.table_id for row in rows.values() if row.table_id])
    facts = _stated(session, [*rows, *tables])
    columns = {key: row for key, row in rows.items() if row.kind == "column"}
    kinds = verdicts.in_force(session, list(columns))
    contents = {key: row.facts for key, row in {**rows, **tables}.items()}
    for key, column in columns.items():
        contents[key] = _labelled_column(column, kinds.get(key, []), facts[key])
    for key, table in tables.items():
        own = [contents[c] | {"name": r.name} for c, r in columns.items() if r.table_id == key]
        contents[key] = _labelled_table(table, own, facts[key])
    items: dict[tuple[str, str], list[Published]] = defaultdict(list)
    for key, row in {**rows, **tables}.items():
        place = (row.workspace_id, row.source_id or "")
        items[place].append(_published(row, contents[key], facts[key]))
    for (workspace_id, source_id), found in items.items():
        catalog.put(session, Cause(workspace_id, source_id, by), found)
        catalog.reindex(session, found)


def _active(session: Session, ids: Collection[str]) -> dict[str, Asset]:
    found: dict[str, Asset] = {}
    wanted = sorted(set(ids))
    for start in range(0, len(wanted), _CHUNK):
        part = select(Asset).where(Asset.id.in_(wanted[start : start + _CHUNK]))
        found.update((row.id, row) for row in session.scalars(part.where(Asset.state == "active")))
    return found


def _stated(session: Session, ids: Collection[str]) -> dict[str, dict[str, Any]]:
    """Return the label, the texts and the tags that people gave assets."""
    found: dict[str, dict[str, Any]] = defaultdict(dict)
    wanted = sorted(set(ids))
    for start in range(0, len(wanted), _CHUNK):
        part = wanted[start : start + _CHUNK]
        facts = select(AssetFact).where(AssetFact.asset_id.in_(part))
        for fact in session.scalars(facts.where(AssetFact.name.in_(("label", *_TEXTS)))):
            found[fact.asset_id][fact.name] = fact.value
        for tag in session.scalars(select(AssetTag).where(AssetTag.asset_id.in_(part))):
            found[tag.asset_id].setdefault("tags", []).append(tag.tag)
    return found


def _labelled_column(
    column: Asset, found: Sequence[verdicts.Verdict], facts: Mapping[str, Any]
) -> dict[str, Any]:
    kinds = sorted({verdict.kind for verdict in found})
    names = (legal_name(verdict.classifier, verdict.kind) for verdict in found)
    content = highest([label_of(names), *(verdict.sensitivity for verdict in found)])
    return {**column.facts, "kinds": kinds, "sensitivity": facts.get("label") or content}


def _labelled_table(
    table: Asset, changed: Sequence[Mapping[str, Any]], facts: Mapping[str, Any]
) -> dict[str, Any]:
    if "columns" not in table.facts:
        return {**table.facts, "sensitivity": facts.get("label") or table.facts["sensitivity"]}
    columns = dict(table.facts["columns"])
    for column in changed:
        columns[column["name"]] = {name: column[name] for name in ("type", "kinds", "sensitivity")}
    content = highest(column["sensitivity"] for column in columns.values())
    return {**table.facts, "columns": columns, "sensitivity": facts.get("label") or content}


def _published(row: Asset, content: dict[str, Any], facts: Mapping[str, Any]) -> Published:
    texts = [text for name in _TEXTS if isinstance(text := facts.get(name), str)]
    said = [*content.get("kinds", ()), *texts, *facts.get("tags", ())]
    return Published(
        id=row.id, parent_id=row.parent_id, table_id=row.table_id,
        qualified_name=row.qualified_name, name=row.name, kind=row.kind, content=content,
        stats=row.stats, compliance=row.compliance, sensitivity=content["sensitivity"],
        words=" ".join(said),
    )  # fmt: skip
