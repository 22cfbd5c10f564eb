"""What scans know of each asset of a source, from one scan to the next."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, undefer

from models.tables.scans import AssetState, ScanAsset
from racine.ids import new_id

__all__ = ["AssetState"]

_MANY = 5000


def of_source(session: Session, source_id: str) -> dict[str, AssetState]:
    """Return the states by asset name, without their sketches."""
    rows = session.scalars(select(AssetState).where(AssetState.source_id == source_id))
    return {row.name: row for row in rows}


def whole(session: Session, source_id: str, name: str) -> AssetState | None:
    """Return one state with its sketches."""
    query = select(AssetState).where(AssetState.source_id == source_id, AssetState.name == name)
    return session.scalar(query.options(undefer(AssetState.sketches)))


def keep(session: Session, source_id: str, name: str, **values: Any) -> None:
    """Store what a read learned of an asset; it is no longer one that was left out."""
    row = whole(session, source_id, name)
    if row is None:
        row = AssetState(id=new_id("ast"), source_id=source_id, name=name)
        session.add(row)
    for field, value in {"left_out": 0, **values}.items():
        setattr(row, field, value)


def carry(session: Session, source_id: str, scan_id: str) -> None:
    """Let the states of what a scan carried over point at its rows: older scans may go."""
    found = (
        select(ScanAsset.id)
        .where(
            ScanAsset.scan_id == scan_id,
            ScanAsset.unchanged,
            ScanAsset.name == AssetState.name,
        )
        .scalar_subquery()
    )
    session.execute(
        update(AssetState)
        .where(AssetState.source_id == source_id)
        .values(asset_id=func.coalesce(found, AssetState.asset_id))
        .execution_options(synchronize_session=False)
    )


def count_left_out(session: Session, source_id: str, names: Collection[str]) -> None:
    """Count one more scan whose budget ended before these assets' turn."""
    known = of_source(session, source_id)
    for name in names:
        if name not in known:
            keep(session, source_id, name, left_out=1)
        else:
            known[name].left_out += 1


def label(session: Session, source_id: str, sensitivities: Mapping[str, str]) -> None:
    """Store the highest label of each asset: the next plan reads sensitive ones first."""
    names = list(sensitivities)
    for start in range(0, len(names), _MANY):
        rows = session.scalars(
            select(AssetState).where(
                AssetState.source_id == source_id,
                AssetState.name.in_(names[start : start + _MANY]),
            )
        )
        for row in rows:
            row.sensitivity = sensitivities[row.name]
