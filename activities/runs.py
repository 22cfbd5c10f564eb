"""Keeps the index of runs: what the interpreter asks for itself."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol

from sqlalchemy.orm import Session
from temporalio import activity

from activities.events import EventSink
from activities.faults import as_failure
from activities.names import FINISH_RUN, RECORD
from activities.naming import named
from activities.pools import Tell
from models.messages import INLINE_LIMIT, FinishCall, RecordCall, RunResult
from models.session import Database
from models.stores import blobs, pool_leases, run_queue, run_results, runs
from racine import expressions
from racine.engine.states import RunState
from racine.errors import RacineError

Begin = Callable[[Sequence[str]], None]
"""Starts runs whose turn has come, without waiting for it."""


class Engine(Protocol):
    """What the end of a run asks of Temporal."""

    def __call__(self, run_ids: Sequence[str]) -> None:
        """Start runs whose turn has come, without waiting for it."""

    def cancel(self, workflow_id: str) -> None:
        """Have Temporal show a workflow as cancelled; one that cannot be told stays as it is."""


class RunActivities:
    def __init__(self, db: Database, sink: EventSink, engine: Engine, tell: Tell) -> None:
        self._db, self._sink = db, sink
        self._engine, self._tell = engine, tell

    @activity.defn(name=RECORD)
    def record(self, call: RecordCall) -> None:
        """Write down transitions of a run that goes on, and results to be kept."""
        context = call.context
        self._sink.put_transitions(context.run_id, call.transitions)
        if call.began is None and call.kept is None:
            return
        with self._db.write() as session:
            if call.began is not None:
                runs.mark_started(session, {call.began: datetime.now(UTC)})
            if call.kept is not None:
                run_results.put(session, context.run_id, context.repair, call.part, call.kept)

    @activity.defn(name=FINISH_RUN)
    def finish(self, call: FinishCall) -> RunResult:
        """Resolve the run's outputs and write its end into the index."""
        run_id = call.context.run_id
        self._sink.put_transitions(run_id, call.transitions)
        try:
            with self._db.write() as session:
                result = self._result(session, call)
                repair = call.context.repair
                runs.finish(
                    session, run_id, result.state, result.outputs, result.error, repair=repair
                )
                if call.kept is not None:
                    run_results.put(session, run_id, repair, run_results.END, call.kept)
                begin = run_queue.hand_on(session, run_id)
                granted = pool_leases.release_run(session, run_id)
        except RacineError as fault:
            raise as_failure(fault) from fault
        self._engine(begin)
        self._tell(granted)
        body = result.model_dump(mode="json", exclude={"state"})
        self._sink.put(
            run_id=run_id, attempt=repair, n=runs.RUN_ENDED, kind=f"run_{result.state}", body=body
        )
        if call.cancels and result.state == RunState.CANCELLED:
            self._engine.cancel(activity.info().workflow_id or "")
        return result

    def _result(self, session: Session, call: FinishCall) -> RunResult:
        """Return how the run ended; outputs that cannot be resolved make it a failure."""
        if call.state != RunState.COMPLETED:
            return RunResult(state=call.state, error=call.error)
        try:
            names = named(session, call.context.workspace_id, call.names)
            outputs = dict(expressions.resolve(call.outputs, names))
        except RacineError as fault:
            error = {"code": fault.code, "message": f"The job's outputs: {fault.message}"}
            return RunResult(state=RunState.FAILED, error=error)
        content = json.dumps(outputs).encode()
        if len(content) <= INLINE_LIMIT:
            return RunResult(state=call.state, outputs=outputs)
        ref = blobs.put(session, call.context, content)
        return RunResult(state=call.state, outputs={"ref": ref})
