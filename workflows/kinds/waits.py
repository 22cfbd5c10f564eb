"""Tasks that wait: for a time, for people."""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from models.messages import Left
    from racine import expressions
    from racine.definitions.schemas import mismatches
    from racine.engine.plan import Plan, Step
    from racine.engine.scheduler import heed
    from racine.engine.states import TaskResult, TaskState
    from racine.errors import InvalidInput
    from workflows.flow import Flow
    from workflows.people import Approval

if TYPE_CHECKING:
    from workflows.steps import Level


async def wait(level: "Level", step: Step) -> TaskResult | None:
    if step.spec.get("signal") is not None:
        return await _signal(level, step)
    path, flow = level.path(step), level.flow
    left = flow.recall(path)
    if left is None:
        until = _until(step.spec, level.names_of(step))
        level.began(step, "started", {"until": until.isoformat(timespec="seconds")})
        await flow.flush()
    else:
        until = datetime.fromisoformat(left.state["until"])
    if not await passed(flow, until, lambda: False):
        return level.told(step, TaskResult(TaskState.SUCCEEDED, {}))
    flow.left[path] = Left(state={"until": until.isoformat()})
    return None


async def _signal(level: "Level", step: Step) -> TaskResult | None:
    path, spec, flow = level.path(step), step.spec, level.flow
    name, left = spec["signal"], flow.recall(path)
    until = moment_of(spec["timeout_seconds"], left)
    if left is None:
        level.began(step, "waiting", {"signal": name})
        await flow.flush()
    if not await passed(flow, until, lambda: bool(flow.signals.get(name))):
        return level.told(step, _unsignalled(spec))
    if not flow.signals.get(name):
        flow.left[path] = Left(state={"until": until.isoformat() if until else None})
        return None
    values = {"payload": flow.signals[name].pop(0), "received": True}
    return level.told(step, TaskResult(TaskState.SUCCEEDED, values))


def _unsignalled(spec: dict[str, Any]) -> TaskResult:
    if spec["on_timeout"] == "CONTINUE":
        return TaskResult(TaskState.SUCCEEDED, {"payload": None, "received": False})
    message = f"The signal {spec['signal']!r} did not come within {spec['timeout_seconds']:g} s."
    return TaskResult(TaskState.FAILED, error={"code": "timed_out", "message": message})


async def approval(level: "Level", step: Step) -> TaskResult | None:
    path, spec, flow = level.path(step), step.spec, level.flow
    left = flow.recall(path)
    until = moment_of(spec["timeout_seconds"], left)
    if left is None:
        flow.approvals[path] = Approval(spec, level.scope.context.actor)
    question = flow.approvals[path]
    try:
        if left is None:
            await _ask(level, step)
        if not await passed(flow, until, lambda: question.outcome is not None):
            question.time_out()
        elif question.outcome is None:
            moment = until.isoformat() if until else None
            flow.left[path] = Left(state={"question": asdict(question), "until": moment})
            return None
    finally:
        del flow.approvals[path]
    return level.told(step, question.result())


async def _ask(level: "Level", step: Step) -> None:
    spec = step.spec
    prompt = expressions.resolve(spec["prompt"], level.names_of(step))
    body = {"prompt": prompt, "required": spec["required"], "approvers": spec["approvers"]}
    level.began(step, "waiting", body)
    await level.flow.flush()


async def passed(flow: Flow, until: datetime | None, done: Callable[[], bool]) -> bool:
    """Wait for something, or for the run to drain, and tell whether one came before the moment."""
    heed()
    seconds = None if until is None else max(0.0, (until - workflow.now()).total_seconds())
    try:
        await workflow.wait_condition(lambda: done() or flow.drained, timeout=seconds)
    except TimeoutError:
        return False
    return True


def moment_of(seconds: float | None, left: Left | None) -> datetime | None:
    """Return the moment of a time limit that began now, or before the run continued as new."""
    if left is not None:
        return datetime.fromisoformat(left.state["until"]) if left.state["until"] else None
    return None if seconds is None else workflow.now() + timedelta(seconds=seconds)


def _until(spec: dict[str, Any], names: dict[str, Any]) -> datetime:
    if spec["duration_seconds"] is not None:
        return workflow.now() + timedelta(seconds=spec["duration_seconds"])
    text = str(expressions.resolve(spec["until"], names))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise InvalidInput(
            f"{text!r} is no moment with an offset.",
            next_step="Write it like 2026-11-21T07:00:00+00:00.",
        )
    return moment


def unheard(plan: Plan, arguments: dict[str, Any]) -> str | None:
    """Return why no task of the run can take a signal; None when one can."""
    name, known = arguments.get("name"), list(_signals(plan))
    schemas = [schema for signal, schema in known if signal == name]
    if not schemas:
        names = ", ".join(dict.fromkeys(signal for signal, _ in known)) or "none"
        return f"No task of the run waits for the signal {name!r}; they wait for: {names}."
    found = [mismatches(s, arguments.get("payload"), masked=True) if s else [] for s in schemas]
    if all(found):
        places = "; ".join(f"{fault.pointer or '/'}: {fault.message}" for fault in found[0])
        return f"The payload does not fit the signal {name!r}: {places}."
    return None


def _signals(plan: Plan) -> Iterator[tuple[str, dict[str, Any] | None]]:
    after = [part for part in (plan.on_failure, plan.final) if part is not None]
    for step in (step for part in (plan, *after) for step in part.steps):
        if step.spec.get("signal") is not None and step.kind == "wait_task":
            yield step.spec["signal"], step.spec["payload_schema"]
        if step.body is not None:
            yield from _signals(step.body)
