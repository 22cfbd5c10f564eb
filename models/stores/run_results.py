"""Keeps how the tasks of runs ended, part by part, and puts the parts together again."""

import zlib

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models.tables.runs import KeptResults
from racine.engine.kept import Kept


def put(session: Session, run_id: str, repair: int, part: str, kept: Kept) -> None:
    """Keep one part of what an execution of a run left; the same part again takes its place."""
    content = zlib.compress(kept.model_dump_json(exclude_defaults=True).encode(), 6)
    values = {"refs": _refs(kept), "content": content}
    dialect = session.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    session.execute(
        insert(KeptResults)
        .values(run_id=run_id, repair=repair, part=part, **values)
        .on_conflict_do_update(index_elements=["run_id", "repair", "part"], set_=values)
    )


def get(session: Session, run_id: str) -> Kept:
    """Return all that the executions of a run have left; what is newer goes before."""
    query = (
        select(KeptResults.content)
        .where(KeptResults.run_id == run_id)
        .order_by(KeptResults.repair, KeptResults.part)
    )
    whole = Kept()
    for content in session.scalars(query):
        whole.add(Kept.model_validate_json(zlib.decompress(content)))
    return whole


def has(session: Session, run_id: str, repair: int) -> bool:
    """Tell whether that execution of the run has left anything."""
    query = select(KeptResults.part).where(
        KeptResults.run_id == run_id, KeptResults.repair == repair
    )
    return session.scalar(query.limit(1)) is not None


def _refs(kept: Kept) -> list[str]:
    found = {result.ref for result in kept.results.values() if result.ref}
    return sorted(found | {str(loop.items["ref"]) for loop in kept.loops.values()
                           if loop.items.get("ref")})  # fmt: skip
