"""The one place that turns every declared operation into a Temporal activity of the same name."""

from collections.abc import Callable
from typing import Any

from pydantic import ValidationError
from temporalio import activity

from activities import (
    catalog,
    classifications,
    compliance,
    notify,
    reviews,
    rights,
    scanning,
    schedules,
    sources,
)
from activities.attempts import Attempt, Attempts, Performed
from activities.call import Call, Performers
from models.messages import TaskCall, TaskOutput
from racine import registry
from racine.definitions.schemas import pointer_of
from racine.errors import InvalidInput
from racine.group import Operation

PERFORMERS: Performers = {
    **sources.PERFORMS,
    **scanning.PERFORMS,
    **classifications.PERFORMS,
    **reviews.PERFORMS,
    **compliance.PERFORMS,
    **catalog.PERFORMS,
    **notify.PERFORMS,
    **schedules.PERFORMS,
}

ActivityFunction = Callable[[TaskCall], TaskOutput]


def activities(attempts: Attempts) -> list[ActivityFunction]:
    """Return one activity for each operation; raise InvalidInput for one that nobody performs."""
    return [_to_activity(op, attempts) for op in registry.operations().values()]


def _to_activity(op: Operation[Any, Any], attempts: Attempts) -> ActivityFunction:
    perform = _performer(op)

    def work(attempt: Attempt, given: dict[str, Any]) -> Performed:
        context, key = attempt.call.context, attempt.call.task_key
        call = Call(attempts.db, context, key, attempt.number, attempt.heartbeat)
        rights.require(attempts.db, context, op.permission)
        result = perform(call, _parse(op, given))
        return Performed(result.model_dump(mode="json"))

    def serve(call: TaskCall) -> TaskOutput:
        return attempts.carry_out(call, work)

    serve.__annotations__ = {"call": TaskCall, "return": TaskOutput}
    # A cancellation thrown into the thread could break a transaction: `heartbeat` raises it.
    return activity.defn(name=op.name, no_thread_cancel_exception=True)(serve)


def _performer(op: Operation[Any, Any]) -> Callable[[Call, Any], Any]:
    if op in PERFORMERS:
        return PERFORMERS[op]
    if op.judge is not None:
        judge = op.judge
        return lambda call, given: judge(given)
    raise InvalidInput(f"Nothing performs the operation {op.name!r}.")


def _parse(op: Operation[Any, Any], given: dict[str, Any]) -> Any:
    try:
        return op.input.model_validate(given)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        places = "; ".join(f"{pointer_of(f['loc'])}: {f['msg']}" for f in faults)
        raise InvalidInput(f"The input of {op.name} does not fit: {places}.") from None
