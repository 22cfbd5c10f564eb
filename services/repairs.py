"""Repairs of runs that have ended: what failed runs again, what was good is kept.

A repair is a further execution of the same run, under the same ids: recorded first, with all that
it begins with, then started like any other.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session
from temporalio.client import Client, WorkflowQueryFailedError
from temporalio.service import RPCError, RPCStatusCode

from models.messages import KeptAnswer, RepairOrder
from models.stores import jobs, run_queue, run_results, runs, summaries
from models.stores.jobs import JobVersion
from models.stores.runs import Run
from racine.definitions import parameters
from racine.definitions.diff import Change as Change
from racine.definitions.diff import diff
from racine.engine.kept import Kept
from racine.engine.repair import Outlook, outlook
from racine.engine.states import FINAL_RUN_STATES
from racine.errors import Conflict
from services import access, audit, controls, executions, plans, workflows
from services.access import Actor
from services.controls import Action, RunControl
from services.executions import Launch
from services.outages import outage

_RPC = timedelta(seconds=10)
LATEST = 0
_LISTED = 100
"""Tasks that a repair's entry names; it counts all."""


@dataclass(frozen=True)
class Wish:
    """What somebody wants repaired."""

    tasks: list[str] = field(default_factory=list)
    """Paths; none are all that failed."""
    dependents: bool = True
    parameters: dict[str, Any] = field(default_factory=dict)
    """Only those that change."""
    version: int | None = None
    """None: the one that the run is pinned to; LATEST: the latest."""
    reason: str = ""


@dataclass(frozen=True)
class Repair:
    """A repair before it is done."""

    run: Run
    outlook: Outlook
    from_version: int
    to: JobVersion
    changes: list[Change]
    """Between the two versions, by meaning."""
    parameters: dict[str, Any]
    """All of the repaired run's."""


async def told(client: Callable[[], Client], run: Run, whole: bool) -> Kept | None:
    """Return what the interpreter says of an execution that could not write down how it ended.

    Temporal replays its history for that, as long as it keeps it; None where nothing is to be had.
    """
    if whole or run.state not in FINAL_RUN_STATES:
        return None
    handle = client().get_workflow_handle(run.workflow_id)
    try:
        answer: KeptAnswer = await handle.query("kept", result_type=KeptAnswer, rpc_timeout=_RPC)
    except WorkflowQueryFailedError:
        return None
    except RPCError as fault:
        if fault.status is RPCStatusCode.NOT_FOUND:
            return None
        raise outage(fault) from fault
    return answer.kept


def is_whole(session: Session, run: Run) -> bool:
    """Tell whether the run's last execution has written down how it ended."""
    return run_results.is_whole(session, run.id, run.repair)


def plan(
    session: Session, actor: Actor, run_id: str, wish: Wish, *, told: Kept | None = None
) -> Repair:
    """Return what a repair would do; nothing is changed.

    Raises Conflict for a run that goes on or where nothing failed, InvalidInput for tasks and
    parameters that do not fit.
    """
    access.require(session, actor, "workflows:run")
    run = executions.get(session, actor, run_id)
    if run.state not in FINAL_RUN_STATES:
        raise Conflict(f"Run {run_id} is {run.state}.", next_step="Wait for its end, or cancel it.")
    before, to, values = _aims(session, actor, run, wish)
    _, compiled = plans.compiled(to.content_hash, to.document)
    kept = run_results.get(session, run.id, run.repair, told)
    if kept.started_at is None and run.started_at is not None:
        kept.started_at = run.started_at.isoformat()
    return Repair(
        run=run,
        outlook=outlook(compiled, kept, wish.tasks, dependents=wish.dependents),
        from_version=before.number,
        to=to,
        changes=_changes(before, to),
        parameters=values,
    )


def _aims(
    session: Session, actor: Actor, run: Run, wish: Wish
) -> tuple[JobVersion, JobVersion, dict[str, Any]]:
    """Return the version that the run has, the one that it shall have, and its parameters then."""
    job = workflows.get(session, actor, run.job_id)
    before = jobs.get_version(session, job.id, run.job_version)
    wanted = {None: run.job_version, LATEST: job.version}.get(wish.version, wish.version)
    to = jobs.get_version(session, job.id, wanted or run.job_version)
    document, _ = plans.compiled(to.content_hash, to.document)
    access.require_operations(session, actor, document)
    declared = {parameter.name for parameter in document.parameters}
    given = {name: v for name, v in run.parameters.items() if name in declared} | wish.parameters
    return before, to, parameters.bind(document.parameters, given)


@dataclass(frozen=True)
class Open:
    """A repair of a run that goes on."""

    run: Run
    from_version: int
    to: JobVersion
    changes: list[Change]
    arguments: dict[str, Any]
    """Of the order that does it."""


def plan_open(session: Session, actor: Actor, run_id: str, wish: Wish) -> Open:
    """Check a repair of a run that goes on; which tasks it concerns, the run itself knows."""
    access.require(session, actor, "workflows:run")
    run = executions.get(session, actor, run_id)
    before, to, _ = _aims(session, actor, run, wish)
    changed = to.number if to.number != before.number else None
    arguments = {
        "tasks": wish.tasks,
        "dependents": wish.dependents,
        "parameters": wish.parameters,
        "version": changed,
    }
    return Open(run, before.number, to, _changes(before, to), arguments)


def record_open(session: Session, actor: Actor, run_id: str, wish: Wish) -> tuple[Open, RunControl]:
    """Write down the order to repair a run that goes on; the caller commits, then delivers it."""
    found = plan_open(session, actor, run_id, wish)
    given = {"reason": wish.reason, "arguments": found.arguments}
    return found, controls.record(session, actor, run_id, Action.REPAIR, given)


async def preview_open(client: Callable[[], Client], found: Open) -> dict[str, Any]:
    """Return what a run that goes on says a repair would do; raises Conflict, Unavailable."""
    _, plan = plans.compiled(found.to.content_hash, found.to.document)
    changed = found.to.number != found.from_version
    order = RepairOrder(**found.arguments, plan=plan if changed else None)
    handle = client().get_workflow_handle(found.run.workflow_id)
    try:
        told = await handle.query("outlook", order, result_type=dict, rpc_timeout=_RPC)
    except WorkflowQueryFailedError as failure:
        raise Conflict(str(failure)) from failure
    except RPCError as fault:
        raise outage(fault) from fault
    return dict(told)


def record(
    session: Session, actor: Actor, run_id: str, wish: Wish, *, told: Kept | None = None
) -> tuple[Repair, Launch]:
    """Write a repair down; the caller commits, then starts it."""
    runs.lock(session, run_id)
    found = plan(session, actor, run_id, wish, told=told)
    run, again = found.run, found.outlook.again
    changed = sorted(n for n, v in found.parameters.items() if run.parameters.get(n) != v)
    entry: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(),
        "actor": actor.id,
        "reason": wish.reason,
        "tasks": wish.tasks,
        "dependents": wish.dependents,
        "was": run.state,
        "from_version": found.from_version,
        "version": found.to.number,
        "parameters": {n: run.parameters.get(n) for n in changed},
        "again": [task.path for task in again[:_LISTED]],
        "again_count": len(again),
    }
    runs.repair(session, run, entry, job_version=found.to.number, parameters=found.parameters)
    run_results.begin(session, run.id, run.repair, found.outlook.left)
    summaries.forget(session, run.id)
    audit.record(session, actor, "run.repair", run_id, after={**entry, "parameters": changed})
    launch = executions.launch(session, run)
    document, _ = plans.compiled(found.to.content_hash, found.to.document)
    return found, launch if run_queue.again(session, document, run) else replace(
        launch, queued=True
    )


def _changes(before: JobVersion, after: JobVersion) -> list[Change]:
    if before.number == after.number:
        return []
    earlier, _ = plans.compiled(before.content_hash, before.document)
    later, _ = plans.compiled(after.content_hash, after.document)
    return diff(earlier, later)
