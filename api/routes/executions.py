"""Runs of jobs: start, look, follow, steer."""

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, BackgroundTasks, Depends, Header, Query, Response, status
from fastapi.responses import PlainTextResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.deps import Me, Racine, ReadSession, State, Transaction
from api.pages import Cursor, Items, Limit
from racine.engine.states import RunState
from racine.errors import InvalidInput, Unavailable
from services import controls, executions
from services import status as live
from services.executions import Launch, Page, Run, Selection, Which
from services.follow import Follower

router = APIRouter(prefix="/api/racine/workflows", tags=["executions"])


class Execute(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"parameters": {}}})

    parameters: dict[str, Any] = Field(default_factory=dict)
    version: int | None = Field(default=None, ge=1, description="The latest when left out.")
    only: list[str] = Field(default_factory=list, description="Run these tasks alone.")
    begin: list[str] = Field(
        default_factory=list, alias="from", description="Run these tasks and what follows them."
    )
    until: list[str] = Field(
        default_factory=list, description="Run these tasks and what they follow."
    )
    values_from: str | None = Field(
        default=None, description="A run whose results stand for the tasks that are left out."
    )


class Started(BaseModel):
    id: str
    workflow_id: str
    state: str = Field(
        description="`scheduled`: recorded, and started as soon as Temporal is up; `queued`: its "
        "job has as many runs as it may have, and it starts when one of them ends."
    )


class RunAnswer(BaseModel):
    """A run as the index has it: behind Temporal by seconds at most."""

    id: str
    workflow_id: str
    job_id: str
    version: int
    trigger: str
    actor: str
    state: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    parent_run_id: str | None = Field(default=None, description="Run whose task started this one.")


class TurnAnswer(BaseModel):
    position: int = Field(description="Place in the queue, from 1.")
    reason: str
    holders: list[str] = Field(description="Runs that it waits for, ten at most.")


class Breach(BaseModel):
    """A rule of the job's health that a run has broken."""

    at: datetime
    rule: str = Field(description="Its place among the job's rules, or `deadline`.")
    metric: str
    task_key: str
    value: float | None
    on_breach: str
    message: str


class RunDetail(RunAnswer):
    concurrency_key: str | None
    turn: TurnAnswer | None = Field(description="Of a queued run: where it stands, and why.")
    parameters: dict[str, Any]
    outputs: dict[str, Any]
    error: dict[str, Any] | None
    schedule_id: str | None
    scheduled_for: datetime | None
    parent_task_key: str | None = Field(description="Task that started it, in `parent_run_id`.")
    repairs: list[dict[str, Any]] = Field(
        description="Who repaired it, when, what and why; oldest first."
    )
    breaches: list[Breach] = Field(description="Rules of the job's health that it has broken.")


class PendingTask(BaseModel):
    task_key: str
    operation: str
    state: str
    attempt: int
    last_error: str
    next_attempt_at: datetime | None
    attempts_allowed: int = Field(description="0: any number.")
    task_queue: str


class StatusAnswer(BaseModel):
    id: str
    state: str
    outputs: dict[str, Any]
    error: dict[str, Any] | None
    pending: list[PendingTask] = Field(description="What Temporal holds for the run right now.")


class Order(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"action": "pause"}})

    action: controls.Action
    reason: str = Field(default="", max_length=400)
    task_key: str | None = Field(
        default=None, max_length=160, description="For orders about one task."
    )
    values: dict[str, Any] | None = Field(
        default=None, description="Of `set_result`: what the task gives, as its outputs say."
    )
    form: dict[str, Any] | None = Field(default=None, description="Of `approve` and `reject`.")
    to: str | None = Field(
        default=None, max_length=100, description="Of `delegate`: a user's id or `role:NAME`."
    )
    force: bool = Field(default=False, description="Of `cancel`: end without waiting.")
    parameters: dict[str, Any] | None = Field(
        default=None, description="Of `change`, about the run: those that change."
    )
    input: dict[str, Any] | None = Field(
        default=None, description="Of `change`, about one task that has not begun: its input."
    )
    request_id: str | None = Field(
        default=None,
        max_length=100,
        description="Sending the same id again asks for the answer and orders nothing anew.",
    )


class Signal(BaseModel):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"payload": {"file": "orders.csv"}}}
    )

    payload: Any = Field(default=None, description="What the waiting task's schema asks for.")
    reason: str = Field(default="", max_length=400)
    request_id: str | None = Field(
        default=None,
        max_length=100,
        description="Sending the same id again asks for the answer and signals nothing anew.",
    )


class OrderAnswer(BaseModel):
    request_id: str
    action: str
    state: str = Field(description="`pending` until a worker has answered.")
    answer: dict[str, Any]


@router.post(
    "/{job_id}/execute", operation_id="execute_workflow", status_code=status.HTTP_202_ACCEPTED
)
def execute(
    job_id: str,
    body: Execute,
    transaction: Transaction,
    racine: Racine,
    me: Me,
    response: Response,
    after: BackgroundTasks,
) -> Started:
    """Start a run: recorded before Temporal is asked, so an accepted start is never lost.

    With `only`, `from` or `until`, of a part of the job: the other tasks are left out.
    """
    part = Selection(body.only, body.begin, body.until, body.values_from)
    with transaction() as session:
        launch = executions.record(
            session, me, job_id, body.parameters, version=body.version, selection=part
        )
    return _begin(launch, racine, response, after)


class Rerun(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"from": ["load"]}})

    begin: list[str] = Field(
        alias="from", min_length=1, description="These tasks run, and what follows them."
    )
    parameters: dict[str, Any] = Field(default_factory=dict, description="Those that change.")


@router.post(
    "/executions/{run_id}/rerun",
    operation_id="rerun_execution",
    status_code=status.HTTP_202_ACCEPTED,
)
def rerun(
    run_id: str,
    body: Rerun,
    transaction: Transaction,
    racine: Racine,
    me: Me,
    response: Response,
    after: BackgroundTasks,
) -> Started:
    """Start a new run like an earlier one, from these tasks on, over its results of the others."""
    with transaction() as session:
        launch = executions.rerun(session, me, run_id, body.begin, body.parameters)
    return _begin(launch, racine, response, after)


def _begin(launch: Launch, racine: State, response: Response, after: BackgroundTasks) -> Started:
    response.headers["Location"] = f"{router.prefix}/executions/{launch.run_id}"
    if launch.queued:
        return _started(launch, RunState.QUEUED)
    try:
        anyio.from_thread.run(executions.start, racine.temporal, launch)
    except Unavailable:
        return _started(launch, RunState.SCHEDULED)
    # The index may learn of it after the answer: should this process die, the sweeper tells it.
    after.add_task(racine.begun.note, launch.run_id)
    return _started(launch, RunState.RUNNING)


async def which_runs(
    state: Annotated[RunState | None, Query()] = None,
    trigger: Annotated[str | None, Query(max_length=40, description="As `manual`.")] = None,
    since: Annotated[AwareDatetime | None, Query(description="Made then or later.")] = None,
    until: Annotated[AwareDatetime | None, Query(description="Made before then.")] = None,
) -> Which:
    """Return which runs a list is asked for."""
    return Which(states=[state] if state else [], trigger=trigger, since=since, until=until)


Wanted = Annotated[Which, Depends(which_runs)]


@router.get("/executions", operation_id="list_executions")
def list_runs(
    session: ReadSession,
    me: Me,
    wanted: Wanted,
    parent: Annotated[
        str | None, Query(max_length=40, description="Only runs that this run's tasks started.")
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Items[RunAnswer]:
    """List the workspace's runs, newest first."""
    which = replace(wanted, parent_run_id=parent)
    return _page(executions.listed(session, me, which, limit=limit, cursor=cursor))


@router.get("/{job_id}/executions", operation_id="list_workflow_executions")
def list_runs_of_job(
    job_id: str,
    session: ReadSession,
    me: Me,
    wanted: Wanted,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Items[RunAnswer]:
    """List a job's runs, newest first."""
    which = replace(wanted, job_id=job_id)
    return _page(executions.listed(session, me, which, limit=limit, cursor=cursor))


@router.get("/executions/{run_id}", operation_id="get_execution")
def get(run_id: str, session: ReadSession, me: Me) -> RunDetail:
    """Return a run as the index has it."""
    run = executions.get(session, me, run_id)
    turn = executions.turn(session, run)
    return RunDetail(
        **_run(run).model_dump(),
        concurrency_key=run.concurrency_key,
        turn=TurnAnswer(**vars(turn)) if turn else None,
        parameters=run.parameters,
        outputs=run.outputs,
        error=run.error,
        schedule_id=run.schedule_id,
        scheduled_for=run.scheduled_for,
        repairs=run.repairs,
        parent_task_key=run.parent_task_key,
        breaches=[Breach(at=e.at, **e.body) for e in executions.breaches(session, run)],
    )


def watched(run_id: str, racine: Racine, me: Me) -> Follower:
    """Answer 404 and 403 before a stream begins: inside it they would be a broken 200."""
    with racine.db.read() as session:
        executions.get(session, me, run_id)
    return Follower(racine.db, me, run_id, racine.hub)


async def awaited(
    run_id: str,
    racine: Racine,
    me: Me,
    wait: Annotated[
        float, Query(ge=0, le=30, description="Seconds to wait for the run's end at most.")
    ] = 0,
) -> None:
    """Hold the answer back; no session stays open meanwhile."""
    if wait:
        follower = await anyio.to_thread.run_sync(watched, run_id, racine, me)
        await follower.until_ended(wait)


@router.get(
    "/executions/{run_id}/status",
    operation_id="get_execution_status",
    dependencies=[Depends(awaited)],
)
def get_status(run_id: str, session: ReadSession, racine: Racine, me: Me) -> StatusAnswer:
    """Return how the run stands, as Temporal tells it; 503 while Temporal does not answer.

    With `wait`, once it has ended or the time is up.
    """
    run = executions.get(session, me, run_id)
    found = live.settled(run) or anyio.from_thread.run(live.status, racine.temporal, run)
    return StatusAnswer(
        id=run.id,
        state=found.state,
        outputs=found.outputs,
        error=found.error,
        pending=[PendingTask(**vars(task)) for task in found.pending],
    )


@router.get(
    "/executions/{run_id}/tasks/{task_key}/traceback",
    operation_id="get_task_traceback",
    response_class=PlainTextResponse,
)
def get_traceback(run_id: str, task_key: str, session: ReadSession, me: Me) -> str:
    """Return the traceback of the task's latest attempt that left one; its text may hold data."""
    return executions.traceback(session, me, run_id, task_key)


@router.get(
    "/executions/{run_id}/logs/stream",
    operation_id="stream_execution_logs",
    response_class=EventSourceResponse,
)
async def stream(
    follower: Annotated[Follower, Depends(watched)],
    last_event_id: Annotated[int, Header(ge=0)] = 0,
) -> AsyncIterator[ServerSentEvent]:
    """Stream the run's events as they happen; `Last-Event-ID` resumes where a client stopped."""
    async for event in follower.events(last_event_id):
        yield ServerSentEvent(
            id=str(event.id),
            data={
                "id": event.id,
                "task_key": event.task_key,
                "attempt": event.attempt,
                "kind": event.kind,
                "at": event.at.isoformat(),
                "body": event.body,
            },
        )
    yield ServerSentEvent(event="end", data={"run_id": follower.run_id})


@router.post(
    "/executions/{run_id}/control",
    operation_id="control_execution",
    responses={status.HTTP_202_ACCEPTED: {"model": OrderAnswer}},
)
def control(
    run_id: str,
    body: Order,
    transaction: Transaction,
    racine: Racine,
    me: Me,
    response: Response,
) -> OrderAnswer:
    """Give an order to the run or to one of its tasks; 202 while no worker has answered."""
    more = body.model_dump(
        include={"values", "form", "to", "force", "parameters", "input"},
        exclude_none=True,
        exclude_defaults=True,
    )
    arguments = controls.arguments(body.reason, more, task_key=body.task_key)
    if body.action is controls.Action.SIGNAL:
        raise InvalidInput("A signal has a name.", next_step="POST …/signals/{name} gives it.")
    with transaction() as session:
        order = controls.record(session, me, run_id, body.action, arguments, body.request_id)
    return _delivered(order, racine, response)


@router.post(
    "/executions/{run_id}/signals/{name}",
    operation_id="signal_execution",
    responses={status.HTTP_202_ACCEPTED: {"model": OrderAnswer}},
)
def signal(
    run_id: str,
    name: str,
    body: Signal,
    transaction: Transaction,
    racine: Racine,
    me: Me,
    response: Response,
) -> OrderAnswer:
    """Give a run a signal that one of its tasks waits for, or will; 202 as for orders."""
    arguments = controls.arguments(body.reason, {"name": name, "payload": body.payload})
    with transaction() as session:
        action = controls.Action.SIGNAL
        order = controls.record(session, me, run_id, action, arguments, body.request_id)
    return _delivered(order, racine, response)


def _delivered(order: controls.RunControl, racine: Racine, response: Response) -> OrderAnswer:
    # Without Temporal the order waits in the database, and the reconciler gives it later.
    with suppress(Unavailable):
        order = anyio.from_thread.run(controls.deliver, racine.db, racine.temporal, order)
    if order.state == controls.PENDING:
        response.status_code = status.HTTP_202_ACCEPTED
    return OrderAnswer(
        request_id=order.request_id, action=order.action, state=order.state, answer=order.answer
    )


def _started(launch: Launch, state: RunState) -> Started:
    return Started(id=launch.run_id, workflow_id=launch.workflow_id, state=state)


def _page(found: Page[Run]) -> Items[RunAnswer]:
    return Items[RunAnswer](items=[_run(run) for run in found.items], next_cursor=found.next_cursor)


def _run(run: Run) -> RunAnswer:
    return RunAnswer(
        id=run.id,
        workflow_id=run.workflow_id,
        job_id=run.job_id,
        version=run.job_version,
        trigger=run.trigger,
        actor=run.actor,
        state=run.state,
        created_at=run.created_at,
        started_at=run.started_at,
        ended_at=run.ended_at,
        parent_run_id=run.parent_run_id,
    )
