"""Repairs of runs: what would run again, and doing it."""

from contextlib import suppress
from typing import Annotated, Any, Literal

import anyio
from fastapi import APIRouter, BackgroundTasks, Response, status
from pydantic import BaseModel, ConfigDict, Field

from api.deps import Me, Racine, State, Transaction
from racine.engine.kept import Kept
from racine.engine.states import FINAL_RUN_STATES, RunState
from racine.errors import Unavailable
from services import controls, executions, repairs
from services.access import Actor
from services.executions import Launch, Run
from services.repairs import Open, Repair

router = APIRouter(prefix="/api/racine/workflows", tags=["executions"])

_SHOWN = 1000


class RepairRequest(BaseModel):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"tasks": ["load"], "dry_run": True}}
    )

    tasks: list[Annotated[str, Field(max_length=500)]] = Field(
        default_factory=list,
        max_length=1000,
        description="Paths: `load`, `per_table[3]`, `per_table[3].clean`, `per_table[*]`. "
        "None: all that failed.",
    )
    dependents: bool = Field(default=True, description="Whether what follows runs again too.")
    parameters: dict[str, Any] = Field(default_factory=dict, description="Those that change.")
    version: Annotated[int, Field(ge=1)] | Literal["pinned", "latest"] = "pinned"
    reason: str = Field(default="", max_length=400)
    dry_run: bool = Field(default=False, description="Only tell what would be done.")


class AgainAnswer(BaseModel):
    path: str
    why: str
    was: str = Field(description="How it had ended; empty when it had not.")


class StaysAnswer(BaseModel):
    path: str
    state: str
    iterations: int | None = Field(description="Of a loop that goes on: those that are kept.")


class ChangeAnswer(BaseModel):
    kind: str
    task: str | None
    field: str
    old: Any
    new: Any


class RepairAnswer(BaseModel):
    run_id: str
    number: int = Field(description="Which execution of the run it makes, from 1.")
    state: str = Field(
        description="`preview`, or how the repaired run stands; of a run that goes on, `applied`, "
        "or `pending` until a worker has answered."
    )
    from_version: int
    version: int
    changes: list[ChangeAnswer] = Field(description="Between both versions, by meaning.")
    again: list[AgainAnswer] = Field(description="What runs again, 1,000 at most.")
    again_count: int
    kept: list[StaysAnswer] = Field(description="What is kept, 1,000 at most.")
    kept_count: int


@router.post(
    "/executions/{run_id}/repair",
    operation_id="repair_execution",
    status_code=status.HTTP_202_ACCEPTED,
    responses={status.HTTP_200_OK: {"model": RepairAnswer, "description": "Of a dry run."}},
)
def repair(
    run_id: str,
    body: RepairRequest,
    transaction: Transaction,
    racine: Racine,
    me: Me,
    response: Response,
    after: BackgroundTasks,
) -> RepairAnswer:
    """Run again what failed or was chosen, as a further execution of the same run.

    Good results are kept. With `dry_run` nothing is done but told. A run that goes on is repaired
    too: once what runs now has ended, waits and approvals are taken along.
    """
    with racine.db.read() as session:
        run = executions.get(session, me, run_id)
    if run.state not in FINAL_RUN_STATES:
        return _repair_open(run_id, body, transaction, racine, me, response)
    wish = _wish(body)
    if body.dry_run:
        told = _told_by(run, racine)
        with racine.db.read() as session:
            found = repairs.plan(session, me, run_id, wish, told=told)
            response.status_code = status.HTTP_200_OK
            return _answer(found, found.run.repair + 1, "preview")
    found, launch = recorded(run, wish, transaction, racine, me)
    answer = _answer(found, found.run.repair, RunState.QUEUED)
    response.headers["Location"] = f"{router.prefix}/executions/{run_id}"
    if launch.queued:
        return answer
    try:
        anyio.from_thread.run(executions.start, racine.temporal, launch)
    except Unavailable:
        return answer.model_copy(update={"state": RunState.SCHEDULED})
    after.add_task(racine.begun.note, run_id)
    return answer.model_copy(update={"state": RunState.RUNNING})


def recorded(
    run: Run, wish: repairs.Wish, transaction: Transaction, racine: State, me: Actor
) -> tuple[Repair, Launch]:
    """Write down the repair of a run that has ended, and commit it; the caller starts it."""
    told = _told_by(run, racine)
    with transaction() as session:
        return repairs.record(session, me, run.id, wish, told=told)


def _told_by(run: Run, racine: State) -> Kept | None:
    """Return what the run itself says of its end, where that was not written down."""
    with racine.db.read() as session:
        whole = repairs.is_whole(session, run)
    return anyio.from_thread.run(repairs.told, lambda: racine.temporal, run, whole)


def _repair_open(
    run_id: str,
    body: RepairRequest,
    transaction: Transaction,
    racine: State,
    me: Actor,
    response: Response,
) -> RepairAnswer:
    """Repair a run that goes on: it takes hold once what runs now has ended."""
    wish = _wish(body)
    if body.dry_run:
        with racine.db.read() as session:
            found = repairs.plan_open(session, me, run_id, wish)
        response.status_code = status.HTTP_200_OK
        told = anyio.from_thread.run(repairs.preview_open, lambda: racine.temporal, found)
        return _told(found, told, "preview")
    with transaction() as session:
        found, order = repairs.record_open(session, me, run_id, wish)
    # Without Temporal the order waits in the database, and the reconciler gives it later.
    with suppress(Unavailable):
        order = anyio.from_thread.run(controls.deliver, racine.db, racine.temporal, order)
    return _told(found, order.answer, order.state)


def _told(found: Open, told: dict[str, Any], state: str) -> RepairAnswer:
    again, kept = told.get("again", []), told.get("kept", [])
    return RepairAnswer(
        run_id=found.run.id,
        number=found.run.repair,
        state=state,
        from_version=found.from_version,
        version=found.to.number,
        changes=_changes(found.changes),
        again=[AgainAnswer(**task) for task in again],
        again_count=len(again),
        kept=[StaysAnswer(**task) for task in kept],
        kept_count=len(kept),
    )


def _changes(changes: list[repairs.Change]) -> list[ChangeAnswer]:
    return [
        ChangeAnswer(kind=c.kind, task=c.task, field=c.field, old=c.old, new=c.new) for c in changes
    ]


def _wish(body: RepairRequest) -> repairs.Wish:
    versions: dict[Any, int | None] = {"pinned": None, "latest": repairs.LATEST}
    return repairs.Wish(
        tasks=body.tasks,
        dependents=body.dependents,
        parameters=body.parameters,
        version=versions.get(body.version, body.version),  # type: ignore[arg-type]
        reason=body.reason,
    )


def _answer(found: Repair, number: int, state: str) -> RepairAnswer:
    again, stays = found.outlook.again, found.outlook.stays
    return RepairAnswer(
        run_id=found.run.id,
        number=number,
        state=state,
        from_version=found.from_version,
        version=found.to.number,
        changes=_changes(found.changes),
        again=[AgainAnswer(**vars(task)) for task in again[:_SHOWN]],
        again_count=len(again),
        kept=[StaysAnswer(**vars(task)) for task in stays[:_SHOWN]],
        kept_count=len(stays),
    )
