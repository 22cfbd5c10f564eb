"""Keeps how the tasks of runs ended, part by part, and puts the parts together again."""

import zlib

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models.tables.runs import KeptResults
from racine.engine.kept import Kept
from racine.engine.states import UNDONE

END = "end"
"""The part that an execution writes last, with its end."""
BASE = ""
"""The part that an execution begins with."""


def put(session: Session, run_id: str, repair: int, part: str, kept: Kept) -> None:
    """Keep one part of what an execution of a run left; the same part again takes its place."""
    content = zlib.compress(kept.model_dump_json(exclude_defaults=True).encode(), 6)
    values = {"content": content}
    dialect = session.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    session.execute(
        insert(KeptResults)
        .values(run_id=run_id, repair=repair, part=part, **values)
        .on_conflict_do_update(index_elements=["run_id", "repair", "part"], set_=values)
    )


def begin(session: Session, run_id: str, repair: int, kept: Kept) -> None:
    """Keep what an execution begins with, in the place of all that those before it left."""
    session.execute(
        delete(KeptResults).where(KeptResults.run_id == run_id, KeptResults.repair < repair)
    )
    put(session, run_id, repair, BASE, kept)


def base(session: Session, run_id: str, repair: int) -> Kept | None:
    """Return what an execution begins with, None for one that begins with nothing."""
    found = session.get(KeptResults, (run_id, repair, BASE))
    return _read(found.content) if found else None


def get(session: Session, run_id: str, repair: int, told: Kept | None = None) -> Kept:
    """Return all that an execution of a run has left.

    `told` is what the interpreter says of one that could not write down how it ended.
    """
    query = select(KeptResults.part, KeptResults.content).where(
        KeptResults.run_id == run_id, KeptResults.repair == repair
    )
    parts = [(_rank(part), part, _read(content)) for part, content in session.execute(query)]
    if told is not None:
        parts.append((_rank(END), END, told))
    whole = Kept()
    for _, _, kept in sorted(parts, key=lambda part: part[:2]):
        whole.add(kept)
    return whole


def is_whole(session: Session, run_id: str, repair: int) -> bool:
    """Tell whether that execution of the run has written down how it ended."""
    return session.get(KeptResults, (run_id, repair, END)) is not None


def _rank(part: str) -> int:
    """Place a part: what the execution began with, its own, its last, those of its loops.

    What was undone comes after all of them.
    """
    if part.partition(":")[0] == UNDONE:
        return 4
    return 0 if part == BASE else 1 if part.isdigit() else 2 if part == END else 3


def _read(content: bytes) -> Kept:
    return Kept.model_validate_json(zlib.decompress(content))
