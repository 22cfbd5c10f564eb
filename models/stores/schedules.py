"""Queries over schedules."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from models.stores.paging import Page, page
from models.tables.schedules import Schedule as Schedule
from racine.errors import NotFound
from racine.ids import new_id


def get(session: Session, schedule_id: str) -> Schedule:
    """Return the schedule, also one that is about to go; raise NotFound."""
    found = session.get(Schedule, schedule_id)
    if found is None:
        raise NotFound(f"There is no schedule {schedule_id!r}.")
    return found


def find(session: Session, workspace_id: str, name: str) -> Schedule | None:
    return session.scalar(
        select(Schedule).where(Schedule.workspace_id == workspace_id, Schedule.name == name)
    )


def listed(
    session: Session, workspace_id: str, *, job_id: str | None, limit: int, cursor: str | None
) -> Page[Schedule]:
    """Return schedules of a workspace or of one of its jobs, newest first."""
    query = select(Schedule).where(
        Schedule.workspace_id == workspace_id, Schedule.deleted.is_(False)
    )
    if job_id is not None:
        query = query.where(Schedule.job_id == job_id)
    return page(session, query, Schedule, limit=limit, cursor=cursor)


def save(
    session: Session, workspace_id: str, job_id: str, actor: str, wish: dict[str, Any]
) -> tuple[Schedule, bool]:
    """Make the schedule of that name what is wished for; return it and whether it changed.

    The same wish again changes nothing. One that was about to be deleted stays.
    """
    found = find(session, workspace_id, wish["name"])
    wish = wish | {"job_id": job_id, "deleted": False}
    if found is None:
        made = Schedule(id=new_id("sch"), workspace_id=workspace_id, actor=actor, **wish)
        session.add(made)
        session.flush()
        return made, True
    if all(getattr(found, key) == value for key, value in wish.items()):
        return found, False
    change(found, actor=actor, **wish)
    session.flush()
    return found, True


def change(schedule: Schedule, **values: Any) -> None:
    """Set fields and note that Temporal does not have them yet."""
    for key, value in values.items():
        setattr(schedule, key, value)
    schedule.generation += 1


def delete_of_job(session: Session, job_id: str) -> None:
    """Wish a job's schedules gone."""
    session.execute(
        update(Schedule)
        .where(Schedule.job_id == job_id)
        .values(deleted=True, generation=Schedule.generation + 1)
    )


def unapplied(session: Session, limit: int = 100) -> Sequence[str]:
    """Return the ids of schedules that Temporal does not have as they are wished for."""
    query = select(Schedule.id).where(Schedule.generation != Schedule.applied)
    return session.scalars(query.limit(limit)).all()


def kept(session: Session) -> Sequence[str]:
    """Return the ids of all schedules that Temporal should have."""
    return session.scalars(select(Schedule.id).where(Schedule.deleted.is_(False))).all()


def mark_applied(session: Session, schedule_id: str, generation: int) -> None:
    session.execute(update(Schedule).where(Schedule.id == schedule_id).values(applied=generation))


def remove(session: Session, schedule_id: str, generation: int) -> None:
    """Remove the row of a schedule that is gone from Temporal, unless it was wished back."""
    session.execute(
        delete(Schedule).where(
            Schedule.id == schedule_id,
            Schedule.generation == generation,
            Schedule.deleted.is_(True),
        )
    )
