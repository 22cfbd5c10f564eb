"""What every attempt of a task has in common: events, errors mapped once, outputs checked."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError, CancelledError

from activities.events import ATTEMPT_ENDED, ATTEMPT_STARTED, EventSink
from activities.faults import as_failure, unexpected
from activities.heartbeats import Heartbeats
from activities.naming import named
from models.messages import INLINE_LIMIT, TaskCall, TaskOutput
from models.session import Database
from models.stores import blobs
from racine import expressions
from racine.definitions.schemas import mismatches
from racine.engine.states import ATTEMPTS_PER_TRY
from racine.errors import ContractBroken, RacineError

log = structlog.get_logger(__name__)

_SMALL_FIELD = 1024
"""Bytes of a field that stays in `values` when the whole output goes to a blob."""


@dataclass(frozen=True)
class Performed:
    """What an attempt gave; `measured` goes to its event."""

    values: dict[str, Any]
    measured: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Attempt:
    """What the work of one attempt may use."""

    call: TaskCall
    number: int
    heartbeat: Callable[..., None]
    log: Callable[[str, Mapping[str, Any]], None]
    """Writes one event of the attempt: its kind and its body."""


Work = Callable[[Attempt, dict[str, Any]], Performed]
"""Does the work of one attempt over its resolved input."""


@dataclass(frozen=True)
class Attempts:
    """Carries out attempts of tasks of any kind."""

    db: Database
    sink: EventSink
    heartbeats: Heartbeats

    def carry_out(self, call: TaskCall, work: Work) -> TaskOutput:
        """Run one attempt; raises ApplicationError with Racine's code as its type."""
        number = (call.try_number - 1) * ATTEMPTS_PER_TRY + activity.info().attempt
        tell = self.sink.teller(call.context.run_id, call.task_key, number)
        self.sink.put_transitions(call.context.run_id, call.transitions)
        tell("started", {}, n=ATTEMPT_STARTED)
        began = time.monotonic()
        try:
            with self.heartbeats.keep() as beat:
                done = work(Attempt(call, number, beat, tell), self._resolved(call))
            output = self._kept(call, done.values)
        except CancelledError:
            tell("cancelled", {}, n=ATTEMPT_ENDED)
            raise
        except Exception as fault:
            failure = self._failure(call, fault)
            body = {"code": failure.type, "message": failure.message, **failure.details[0]}
            tell("failed", body, n=ATTEMPT_ENDED)
            raise failure from None
        seconds = round(time.monotonic() - began, 6)
        tell("succeeded", {"seconds": seconds, **done.measured}, n=ATTEMPT_ENDED)
        return output

    def _resolved(self, call: TaskCall) -> dict[str, Any]:
        if call.names is None:
            return call.input
        with self.db.read() as session:
            names = named(session, call.context.workspace_id, call.names)
        return dict(expressions.resolve(call.input, names))

    def _failure(self, call: TaskCall, fault: Exception) -> ApplicationError:
        if isinstance(fault, RacineError):
            return as_failure(fault)
        failure, trace = unexpected(fault)
        log.error("attempt_failed", type=failure.type, place=failure.message, task=call.task_key)
        with self.db.write() as session:
            ref = blobs.put(session, call.context, trace.encode(), "text/plain")
        return ApplicationError(
            failure.message, {"next_step": "", "traceback": ref}, type=failure.type
        )

    def _kept(self, call: TaskCall, values: dict[str, Any]) -> TaskOutput:
        if call.outputs is not None:
            faults = mismatches(call.outputs, values, masked=True)
            if faults:
                places = "; ".join(f"{f.pointer or '/'}: {f.message}" for f in faults[:10])
                raise ContractBroken(
                    f"The result of {call.task_key} does not fit its declared outputs: {places}.",
                    next_step="Correct the task or its outputs schema.",
                )
        content = json.dumps(values, allow_nan=False).encode()
        if len(content) <= INLINE_LIMIT:
            return TaskOutput(values=values)
        with self.db.write() as session:
            ref = blobs.put(session, call.context, content)
        return TaskOutput(values=_small(values), ref=ref)


def _small(values: dict[str, Any]) -> dict[str, Any]:
    """Keep the fields that others may refer to: the small ones, as long as they fit together."""
    kept: dict[str, Any] = {}
    room = INLINE_LIMIT
    for name, value in values.items():
        size = len(json.dumps(value))
        if size <= min(_SMALL_FIELD, room):
            kept[name] = value
            room -= size
    return kept
