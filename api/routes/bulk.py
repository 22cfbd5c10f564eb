"""Orders to many runs at once."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Literal

import anyio
from fastapi import APIRouter, BackgroundTasks
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.deps import Me, Racine, State, Transaction
from api.routes.repairs import recorded
from racine.engine.states import RunState
from racine.errors import RacineError, Unavailable
from racine.ids import new_id
from services import bulk, controls, repairs
from services.access import Actor
from services.bulk import Outcome
from services.executions import Run, Which

router = APIRouter(prefix="/api/racine/workflows", tags=["executions"])


class WhichRuns(BaseModel):
    """All runs that fit every field that is given."""

    model_config = ConfigDict(extra="forbid")

    job_id: str | None = Field(default=None, max_length=40)
    state: RunState | None = Field(
        default=None,
        description="Left out: those that can obey; for `repair`, failed and timed-out ones.",
    )
    trigger: str | None = Field(default=None, max_length=40, description="As `manual`.")
    since: AwareDatetime | None = Field(default=None, description="Made then or later.")
    until: AwareDatetime | None = Field(default=None, description="Made before then.")


class BulkOrder(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"action": "cancel", "where": {}, "dry_run": True}},
    )

    action: controls.Action = Field(
        description="`pause`, `resume`, `cancel`, `terminate` or `repair`."
    )
    where: WhichRuns
    reason: str = Field(default="", max_length=400)
    force: bool = Field(default=False, description="Of `cancel`: end without waiting.")
    version: Literal["pinned", "latest"] = Field(default="pinned", description="Of `repair`.")
    dry_run: bool = Field(default=False, description="Only tell which runs it would reach.")
    request_id: str | None = Field(
        default=None,
        max_length=100,
        description="Sending the same id again orders nothing anew of a run.",
    )
    limit: int = Field(default=100, ge=1, le=200, description="Most runs to reach at once.")
    cursor: str | None = Field(
        default=None, max_length=200, description="`next_cursor` of the page before."
    )


class ReachedRun(BaseModel):
    run_id: str
    workflow_id: str
    was: str = Field(description="Its state before.")
    state: str = Field(
        description="`preview`; `applied`, `pending` or `refused`; of a repaired run, its state."
    )
    message: str = Field(description="Why it was refused.")


class BulkAnswer(BaseModel):
    count: int = Field(description="Runs that fitted when this page was asked for, on all pages.")
    items: list[ReachedRun]
    next_cursor: str | None


@router.post("/executions/control", operation_id="control_executions")
def control_many(
    body: BulkOrder, transaction: Transaction, racine: Racine, me: Me, after: BackgroundTasks
) -> BulkAnswer:
    """Give one order to all runs that fit, newest first, a page a call.

    Each run is told as if it were alone: one that refuses keeps no other from obeying, and what is
    not answered in time stays pending until it is.
    """
    which = Which(
        job_id=body.where.job_id,
        states=[body.where.state] if body.where.state else [],
        trigger=body.where.trigger,
        since=body.where.since,
        until=body.where.until,
    )
    with racine.db.read() as session:
        page, count = bulk.chosen(
            session, me, body.action, which, limit=body.limit, cursor=body.cursor
        )
    if body.dry_run:
        told = {run.id: Outcome("preview") for run in page.items}
    elif body.action is controls.Action.REPAIR:
        told = _repaired(page.items, body, transaction, racine, me, after)
    else:
        told = _ordered(page.items, body, transaction, racine, me)
    items = [
        ReachedRun(run_id=run.id, workflow_id=run.workflow_id, was=run.state,
                   state=told[run.id].state, message=told[run.id].message)
        for run in page.items
    ]  # fmt: skip
    return BulkAnswer(count=count, items=items, next_cursor=page.next_cursor)


def _ordered(
    runs: Sequence[Run], body: BulkOrder, transaction: Transaction, racine: State, me: Actor
) -> dict[str, Outcome]:
    told, orders, request_id = dict[str, Outcome](), [], body.request_id or new_id("req")
    arguments = controls.arguments(body.reason, {"force": True} if body.force else None)
    for run in runs:
        with _refusals(run, told), transaction() as session:
            order = controls.record(session, me, run.id, body.action, arguments, request_id)
            told[run.id] = Outcome(order.state)
            orders.append(order)
    # Without Temporal the orders wait in the database, and the reconciler gives them later.
    with suppress(Unavailable):
        told |= anyio.from_thread.run(bulk.deliver, racine.db, racine.temporal, orders)
    return told


def _repaired(
    runs: Sequence[Run],
    body: BulkOrder,
    transaction: Transaction,
    racine: State,
    me: Actor,
    after: BackgroundTasks,
) -> dict[str, Outcome]:
    told, launches = dict[str, Outcome](), []
    version = repairs.LATEST if body.version == "latest" else None
    wish = repairs.Wish(version=version, reason=body.reason)
    for run in runs:
        with _refusals(run, told):
            _, launch = recorded(run, wish, transaction, racine, me)
            told[run.id] = Outcome(RunState.QUEUED if launch.queued else RunState.SCHEDULED)
            if not launch.queued:
                launches.append(launch)
    with suppress(Unavailable):
        begun = anyio.from_thread.run(bulk.start, racine.temporal, launches)
        told |= begun
        for run_id in begun:
            after.add_task(racine.begun.note, run_id)
    return told


@contextmanager
def _refusals(run: Run, told: dict[str, Outcome]) -> Iterator[None]:
    """Let a run that refuses keep no other from being told."""
    try:
        yield
    except RacineError as refusal:
        told[run.id] = Outcome(controls.REFUSED, refusal.message)
