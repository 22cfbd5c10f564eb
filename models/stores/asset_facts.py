"""Queries over the facts that people enter about assets."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables.catalog import AssetFact as AssetFact
from racine.governance.compliance.facts import Stated


def of_source(session: Session, source_id: str) -> dict[str, dict[str, Stated]]:
    """Return everything stated about a source and what it holds: asset id -> name -> fact."""
    found: dict[str, dict[str, Stated]] = defaultdict(dict)
    for fact in session.scalars(select(AssetFact).where(AssetFact.source_id == source_id)):
        found[fact.asset_id][fact.name] = Stated(fact.value, fact.entered_at, fact.valid_until)
    return found


def of_asset(session: Session, asset_id: str) -> list[AssetFact]:
    rows = select(AssetFact).where(AssetFact.asset_id == asset_id).order_by(AssetFact.name)
    return list(session.scalars(rows))


def enter(
    session: Session,
    place: tuple[str, str, str],
    values: Mapping[str, Any],
    *,
    by: str,
    valid_until: date | None = None,
    note: str = "",
) -> None:
    """Store facts of (workspace id, source id, asset id), each in place of the last of its name."""
    workspace_id, source_id, asset_id = place
    for name, value in values.items():
        fact = session.get(AssetFact, (asset_id, name))
        if fact is None:
            fact = AssetFact(
                asset_id=asset_id, name=name, workspace_id=workspace_id, source_id=source_id
            )
            session.add(fact)
        fact.value, fact.entered_by, fact.entered_at = value, by, datetime.now(UTC)
        fact.valid_until, fact.note = valid_until, note
    session.flush()


def withdraw(session: Session, asset_id: str, name: str) -> Any:
    """Remove a fact; return its value, None when there was none."""
    fact = session.get(AssetFact, (asset_id, name))
    if fact is None:
        return None
    session.delete(fact)
    session.flush()
    return fact.value
