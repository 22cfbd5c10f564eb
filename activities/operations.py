"""The one place that turns every declared operation into a Temporal activity of the same name."""

from collections.abc import Callable
from typing import Any

from pydantic import ValidationError
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities import catalog, classifications, compliance, notify, scanning, sources
from activities.call import Call, Performers
from activities.events import EventSink
from models.messages import OperationCall
from models.session import Database
from racine import registry
from racine.errors import InvalidInput, RacineError
from racine.group import Operation

PERFORMERS: Performers = {
    **sources.PERFORMS,
    **scanning.PERFORMS,
    **classifications.PERFORMS,
    **compliance.PERFORMS,
    **catalog.PERFORMS,
    **notify.PERFORMS,
}

ActivityFunction = Callable[[OperationCall], dict[str, Any]]


def activities(db: Database, sink: EventSink) -> list[ActivityFunction]:
    """Return one activity for each operation; raise InvalidInput for one that nobody performs."""
    return [_to_activity(op, db, sink) for op in registry.operations().values()]


def _to_activity(op: Operation[Any, Any], db: Database, sink: EventSink) -> ActivityFunction:
    perform = _performer(op)

    def serve(call: OperationCall) -> dict[str, Any]:
        info = activity.info()
        place = {"run_id": call.context.run_id, "task_key": call.task_key, "attempt": info.attempt}
        for item in call.transitions:
            sink.put(
                run_id=call.context.run_id, task_key=item.task_key, n=item.n, kind=item.kind,
                attempt=0, body=item.body,
            )  # fmt: skip
        sink.put(**place, n=0, kind="started")
        given = Call(db, call.context, call.task_key, info.attempt, activity.heartbeat)
        try:
            result = perform(given, _parse(op, call.input)).model_dump(mode="json")
        except RacineError as fault:
            sink.put(**place, n=1, kind="failed", body={"code": fault.code, "message": str(fault)})
            raise as_failure(fault) from fault
        sink.put(**place, n=1, kind="succeeded")
        return dict(result)

    serve.__annotations__ = {"call": OperationCall, "return": dict[str, Any]}
    return activity.defn(name=op.name)(serve)


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
    except ValidationError as fault:
        places = "; ".join(f"{'/'.join(map(str, e['loc']))}: {e['msg']}" for e in fault.errors())
        raise InvalidInput(f"The input of {op.name} does not fit: {places}.") from None


def as_failure(fault: RacineError) -> ApplicationError:
    """Map Racine's error to Temporal's, once: the code is the type, the next step a detail."""
    return ApplicationError(
        fault.message,
        {"next_step": fault.next_step},
        type=fault.code,
        non_retryable=not fault.retryable,
    )
