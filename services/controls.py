"""Orders to a run: recorded first, then given to it as an Update under the order's own id.

An order whose run did not answer in time stays pending; the reconciler gives it again under the
same id, and Temporal answers a repeated id with the first result.
"""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session
from temporalio.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from models.messages import ELSEWHERE, NOT_NOW, ControlCall, RepairOrder
from models.session import Database
from models.stores import controls, grants, jobs, run_queue, runs
from models.stores.controls import RunControl as RunControl
from models.stores.runs import Run
from racine.engine.states import FINAL_RUN_STATES, RunState
from racine.errors import Conflict, Fault, InvalidInput, Unavailable
from racine.governance.rbac.decision import TENANT
from racine.ids import new_id
from services import access, audit, changes, executions, plans
from services.access import Actor

PENDING, APPLIED, REFUSED = controls.PENDING, controls.APPLIED, controls.REFUSED

_ANSWER = timedelta(seconds=5)
_ENDED = (RPCStatusCode.NOT_FOUND, RPCStatusCode.FAILED_PRECONDITION)
"""How Temporal answers to an order for what has ended, or is gone."""
_PATIENCE_SECONDS = 0.1
"""Between two tries to give an order to a run that is about to continue as new."""


class Action(StrEnum):
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    TERMINATE = "terminate"
    RETRY = "retry"
    SKIP = "skip"
    SET_RESULT = "set_result"
    APPROVE = "approve"
    REJECT = "reject"
    DELEGATE = "delegate"
    CHANGE = "change"
    REPAIR = "repair"
    SIGNAL = "signal"


_VERDICTS = (Action.APPROVE, Action.REJECT, Action.DELEGATE)
_OF_TASKS = (Action.RETRY, Action.SKIP, Action.SET_RESULT, *_VERDICTS)
_OF_RUNS = (Action.CANCEL, Action.TERMINATE, Action.REPAIR)
_UPDATES = {Action.PAUSE: "hold", Action.RESUME: "release"}
"""What obeys orders about one task, where the same about the whole run is another Update."""
_REDIRECTIONS = 20
"""How deep loops may lie in each other for an order to reach a task."""

_THEN = {Action.PAUSE: RunState.PAUSED, Action.RESUME: RunState.RUNNING}
"""What the index says of a run that has obeyed and goes on."""


def arguments(
    reason: str, more: dict[str, Any] | None = None, *, task_key: str | None = None
) -> dict[str, Any]:
    """Return what is kept of an order: only what it says, so that the same order reads the same."""
    given = {"reason": reason, "task_key": task_key, "arguments": more}
    return {name: value for name, value in given.items() if value}


def record(
    session: Session,
    actor: Actor,
    run_id: str,
    action: Action,
    arguments: dict[str, Any],
    request_id: str | None = None,
) -> RunControl:
    """Write the order down, once for each request id; the caller commits, then delivers it.

    Raises Conflict for a run that has ended, and for a request id that meant something else.
    """
    right = "workflows:approve" if action in _VERDICTS else "workflows:run"
    access.require(session, actor, right)
    _require_whole(action, arguments)
    run = executions.get(session, actor, run_id)
    arguments = arguments | _more(session, actor, run, action, arguments)
    order, new = controls.record(
        session, run_id, request_id or new_id("req"), action, arguments, actor.id
    )
    if not new:
        if (order.action, order.arguments) != (action, arguments):
            raise Conflict(
                f"The request id {request_id!r} was an order to {order.action}.",
                next_step="Send a new request id with a new order.",
            )
        return order
    if run.state in FINAL_RUN_STATES:
        raise Conflict(
            f"Run {run_id} is {run.state}: there is nothing to {action}.",
            next_step="Start it again, or repair it.",
        )
    if run.state == RunState.QUEUED:
        _take_out(session, actor, run, order)
    said = {name: value for name, value in arguments.items() if name != "arguments"}
    if action is Action.SIGNAL:
        said["signal"] = arguments["arguments"]["name"]
    audit.record(session, actor, f"run.{action}", run_id, after=said)
    return order


def _require_whole(action: Action, arguments: dict[str, Any]) -> None:
    """Refuse an order that lacks what it is about."""
    named, more = bool(arguments.get("task_key")), arguments.get("arguments", {})
    if (action in _OF_TASKS and not named) or (action in _OF_RUNS and named):
        needs = "names one task" if action in _OF_TASKS else "is about the whole run"
        fault = Fault("/task_key", f"An order to {action} {needs}.", code="task_key")
        raise InvalidInput("The order is not whole.", faults=[fault])
    needed = {Action.DELEGATE: "to", Action.CHANGE: "input" if named else "parameters"}.get(action)
    if needed is not None and not more.get(needed):
        fault = Fault(f"/{needed}", f"An order to {action} gives it.", code=needed)
        raise InvalidInput("The order is not whole.", faults=[fault])


def _more(
    session: Session, actor: Actor, run: Run, action: Action, arguments: dict[str, Any]
) -> dict[str, Any]:
    """Return what the order's arguments are for the run, where they are not just as given."""
    given = arguments.get("arguments", {})
    if action is Action.CHANGE:
        named = {name: arguments[name] for name in ("task_key",) if name in arguments}
        return {"arguments": changes.checked(session, actor, run, {**given, **named})}
    if action is Action.DELEGATE:
        _require_member(session, actor, given["to"])
    if action in _VERDICTS:
        # The run counts words by role: which roles somebody has is not for them to say.
        return {"arguments": {**given, "roles": _roles(session, actor)}}
    return {}


def _require_member(session: Session, actor: Actor, name: str) -> None:
    here = (TENANT, actor.workspace_id)
    if name.startswith("role:") or any(g.scope in here for g in grants.of_user(session, name)):
        return
    fault = Fault("/to", f"{name!r} is nobody of this workspace.", "Give a user's id or role:NAME.")
    raise InvalidInput("The word cannot be passed on.", faults=[fault])


def _take_out(session: Session, actor: Actor, run: Run, order: RunControl) -> None:
    """Obey an order about a run that has not begun: it can only leave the queue."""
    ends = {Action.CANCEL: RunState.CANCELLED, Action.TERMINATE: RunState.TERMINATED}
    end = ends.get(Action(order.action))
    if end is None:
        raise Conflict(
            f"Run {run.id} is queued: there is nothing to {order.action} before it begins.",
            next_step="Wait for its turn, or cancel it.",
        )
    error = {"code": end.value, "message": f"{actor.name} took it out of the queue."}
    if not run_queue.leave(session, run, end, error):
        raise Conflict("The run's turn has just come.", next_step="Give the order again.")
    runs.close_log(session, run.id, end, error)
    order.state, order.answer = APPLIED, {"state": end.value}


def _roles(session: Session, actor: Actor) -> list[str]:
    here = (TENANT, actor.workspace_id)
    return sorted({g.role for g in grants.of_user(session, actor.id) if g.scope in here})


async def deliver(db: Database, client: Client, order: RunControl) -> RunControl:
    """Give the order to its run and write down the answer.

    Returns the order still pending when nobody answered in time; raises Conflict when the run
    refused it.
    """
    if order.state == REFUSED:
        raise Conflict(order.answer.get("message", "The run refused."))
    if order.state == APPLIED:
        return order
    workflow_id = await asyncio.to_thread(_workflow_id, db, order.run_id)
    try:
        call = await asyncio.to_thread(_call, db, order)
        answer = await _carry(client, workflow_id, order, call)
    except Unavailable:
        return order
    except Conflict as refusal:
        answer = {"message": refusal.message}
        await asyncio.to_thread(_settle, db, order, REFUSED, answer)
        raise
    await asyncio.to_thread(_settle, db, order, APPLIED, answer)
    order.state, order.answer = APPLIED, answer
    return order


async def _carry(
    client: Client, workflow_id: str, order: RunControl, call: ControlCall
) -> dict[str, Any]:
    """Give the order to the run's workflow, or to that of its loops which holds the task."""
    for _ in range(_REDIRECTIONS):
        try:
            return await _patiently(client.get_workflow_handle(workflow_id), order, call)
        except _Elsewhere as found:
            workflow_id = found.workflow_id
    raise Conflict("The task lies too deep in loops.", next_step="Give the order to a task around.")


class _Elsewhere(Exception):
    """Another workflow of the run holds the task."""

    def __init__(self, workflow_id: str) -> None:
        super().__init__(workflow_id)
        self.workflow_id = workflow_id


class _NotNow(Exception):
    """The run takes orders again once it has continued as new."""


async def _patiently(
    handle: WorkflowHandle[Any, Any], order: RunControl, call: ControlCall
) -> dict[str, Any]:
    """Give the order; again and again to a run that is about to continue as new."""
    try:
        async with asyncio.timeout(_ANSWER.total_seconds()):
            while True:
                with suppress(_NotNow):
                    return await _give(handle, order, call)
                await asyncio.sleep(_PATIENCE_SECONDS)
    except TimeoutError as silence:
        raise Unavailable("The run is about to continue as new.") from silence


async def _give(
    handle: WorkflowHandle[Any, Any], order: RunControl, call: ControlCall
) -> dict[str, Any]:
    try:
        if order.action == Action.TERMINATE:
            reason = order.arguments.get("reason") or f"terminated by {order.actor}"
            await handle.terminate(reason=reason, rpc_timeout=_ANSWER)
            return {"state": RunState.TERMINATED.value}
        # Without a workflow worker an Update waits for ever, and so would the caller.
        named = order.arguments.get("task_key") is not None
        answer = await handle.execute_update(
            _UPDATES.get(Action(order.action), order.action) if named else order.action,
            call,
            id=order.request_id,
            result_type=dict,
            rpc_timeout=_ANSWER,
        )
        return dict(answer)
    except WorkflowUpdateRPCTimeoutOrCancelledError as silence:
        raise Unavailable("The run has not answered yet.") from silence
    except WorkflowUpdateFailedError as failure:
        cause = failure.cause
        if isinstance(cause, ApplicationError) and cause.type == ELSEWHERE:
            raise _Elsewhere(str(cause.details[0])) from failure
        if isinstance(cause, ApplicationError) and cause.type == NOT_NOW:
            raise _NotNow from failure
        message = cause.message if isinstance(cause, ApplicationError) else str(cause)
        raise Conflict(message) from failure
    except RPCError as fault:
        if fault.status in _ENDED:
            return await _answered(handle, order)
        raise Unavailable("Temporal does not answer.") from fault


async def _answered(handle: WorkflowHandle[Any, Any], order: RunControl) -> dict[str, Any]:
    """Return what a run that has ended answered to the order; raises Conflict if it never did."""
    answer: dict[str, Any] | None = None
    try:
        if order.action == Action.TERMINATE:
            found = await handle.describe(rpc_timeout=_ANSWER)
            if found.status is WorkflowExecutionStatus.TERMINATED:
                answer = {"state": RunState.TERMINATED.value}
        else:
            answer = await handle.query("answered", order.request_id, rpc_timeout=_ANSWER)
    except (RPCError, WorkflowQueryFailedError) as fault:
        if not isinstance(fault, RPCError) or fault.status not in _ENDED:
            raise Unavailable("The run has ended, and nobody can tell how it answered.") from fault
        if await _goes_on(handle):
            raise Unavailable("The run's workflow fails: its worker's log tells why.") from fault
    if answer is None:
        raise Conflict("The run has ended.", next_step="Read its status.")
    return answer


async def _goes_on(handle: WorkflowHandle[Any, Any]) -> bool:
    """Tell a run that is stuck from one that has ended: neither takes orders or answers."""
    try:
        found = await handle.describe(rpc_timeout=_ANSWER)
    except RPCError as fault:
        if fault.status in _ENDED:
            return False
        raise Unavailable("Temporal does not answer.") from fault
    return found.status is WorkflowExecutionStatus.RUNNING


def _call(db: Database, order: RunControl) -> ControlCall:
    """Return what the order's Update is given; a repair takes its version's plan along.

    Raises Conflict for an order to an execution of the run that a repair has followed.
    """
    with db.read() as session:
        entries = runs.get(session, order.run_id).repairs
    since = [entry for entry in entries if datetime.fromisoformat(entry["at"]) > order.created_at]
    if any(entry["was"] in FINAL_RUN_STATES for entry in since):
        raise Conflict("The run has ended, and was repaired since.", next_step="Read its status.")
    call = ControlCall(actor=order.actor, **order.arguments)
    version = call.arguments.get("version")
    if order.action != Action.REPAIR or version is None:
        return call
    with db.read() as session:
        pinned = jobs.get_version(session, runs.get(session, order.run_id).job_id, version)
    _, plan = plans.compiled(pinned.content_hash, pinned.document)
    given = RepairOrder(**call.arguments, plan=plan).model_dump(mode="json")
    return call.model_copy(update={"arguments": given})


def _workflow_id(db: Database, run_id: str) -> str:
    with db.read() as session:
        return runs.get(session, run_id).workflow_id


def _settle(db: Database, order: RunControl, state: str, answer: dict[str, Any]) -> None:
    with db.write() as session:
        controls.settle(session, order.id, state, answer)
        if state != APPLIED or "task_key" in order.arguments:
            return
        if order.action in _THEN:
            runs.set_state(session, order.run_id, _THEN[Action(order.action)])
        elif order.action == Action.REPAIR:
            given = {"version": None, "parameters": {}} | order.arguments.get("arguments", {})
            entry = {"actor": order.actor, "reason": order.arguments.get("reason", ""), **given,
                     "was": RunState.RUNNING, "at": datetime.now(UTC).isoformat(),
                     "again": [task["path"] for task in answer["again"]][:100],
                     "again_count": len(answer["again"])}  # fmt: skip
            runs.repair_open(session, order.run_id, entry, given["version"], given["parameters"])
        elif order.action == Action.CHANGE:
            runs.change(session, order.run_id, order.arguments["arguments"]["parameters"])
