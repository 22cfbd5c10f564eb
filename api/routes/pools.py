"""Pools: what tasks of a workspace share, with who holds and who waits."""

from typing import Annotated

from fastapi import APIRouter, Path, status
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.deps import Me, ReadSession, WriteSession
from api.pages import Cursor, Items, Limit
from services import pools
from services.pools import PoolLease, Usage

router = APIRouter(prefix="/api/racine/orchestration/pools", tags=["orchestration"])

Name = Annotated[
    str,
    Path(
        pattern=r"^(source:)?[A-Za-z0-9][A-Za-z0-9_.-]{0,89}$",
        description="`source:ID` for what may be done with one source at a time.",
    ),
]


class PoolRequest(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"slots": 4}})

    slots: int | None = Field(default=None, ge=1, le=10_000, description="Null: any number.")
    tokens_per_second: float | None = Field(
        default=None, ge=0.001, le=10_000, description="Tasks that may begin in a second."
    )
    description: str = Field(default="", max_length=400)


class PoolAnswer(BaseModel):
    name: str
    description: str
    slots: int | None
    tokens_per_second: float | None
    held_slots: int
    held: int = Field(description="Leases that hold slots.")
    waiting: int = Field(description="Tasks that wait for slots.")
    created_at: AwareDatetime
    updated_at: AwareDatetime


class LeaseAnswer(BaseModel):
    """Slots that one try of a task holds or waits for."""

    model_config = ConfigDict(from_attributes=True)

    run_id: str
    task_key: str
    try_number: int
    slots: int
    priority: int
    created_at: AwareDatetime
    starts_at: AwareDatetime | None


class PoolDetail(PoolAnswer):
    holders: list[LeaseAnswer] = Field(description="A hundred at most.")
    line: list[LeaseAnswer] = Field(description="Who waits, next first; a hundred at most.")


@router.get("", operation_id="list_pools")
def list_pools(
    me: Me, session: ReadSession, limit: Limit = 50, cursor: Cursor = None
) -> Items[PoolAnswer]:
    """List the workspace's pools with how much of each is in use."""
    found = pools.listed(session, me, limit=limit, cursor=cursor)
    items = [_answer(usage) for usage in pools.usages(session, found.items)]
    return Items(items=items, next_cursor=found.next_cursor)


@router.get("/{name}", operation_id="get_pool")
def get(name: Name, me: Me, session: ReadSession) -> PoolDetail:
    """Return a pool with who holds its slots and who waits for them."""
    found = pools.get(session, me, name)
    (usage,) = pools.usages(session, [found])
    return PoolDetail(
        **_answer(usage).model_dump(),
        holders=[_lease(lease) for lease in pools.holders(session, found)],
        line=[_lease(lease) for lease in pools.line(session, found)],
    )


@router.put("/{name}", operation_id="put_pool")
def put(name: Name, body: PoolRequest, me: Me, session: WriteSession) -> PoolAnswer:
    """Make a pool, or change its limits; who holds slots keeps them to the end of the task."""
    found = pools.put(session, me, name, **body.model_dump())
    (usage,) = pools.usages(session, [found])
    return _answer(usage)


@router.delete("/{name}", operation_id="delete_pool", status_code=status.HTTP_204_NO_CONTENT)
def delete(name: Name, me: Me, session: WriteSession) -> None:
    """Delete a pool that nobody waits for."""
    pools.delete(session, me, name)


def _answer(usage: Usage) -> PoolAnswer:
    pool = usage.pool
    return PoolAnswer(
        name=pool.name,
        description=pool.description,
        slots=pool.slots,
        tokens_per_second=pool.tokens_per_second,
        held_slots=usage.held_slots,
        held=usage.held,
        waiting=usage.waiting,
        created_at=pool.created_at,
        updated_at=pool.updated_at,
    )


def _lease(lease: PoolLease) -> LeaseAnswer:
    return LeaseAnswer.model_validate(lease)
