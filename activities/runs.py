"""Keeps the index of runs: what the interpreter asks for itself."""

import json
from collections.abc import Callable, Sequence

from sqlalchemy.orm import Session
from temporalio import activity

from activities.events import EventSink
from activities.faults import as_failure
from activities.names import FINISH_RUN, RECORD
from activities.pools import Tell
from models.messages import INLINE_LIMIT, FinishCall, RecordCall, RunResult
from models.session import Database
from models.stores import blobs, pool_leases, run_queue, runs
from racine import expressions
from racine.engine.states import RunState
from racine.errors import RacineError

Begin = Callable[[Sequence[str]], None]
"""Starts runs whose turn has come, without waiting for it."""


class RunActivities:
    def __init__(self, db: Database, sink: EventSink, begin: Begin, tell: Tell) -> None:
        self._db, self._sink = db, sink
        self._begin, self._tell = begin, tell

    @activity.defn(name=RECORD)
    def record(self, call: RecordCall) -> None:
        """Write transitions of a run that goes on."""
        self._sink.put_transitions(call.context.run_id, call.transitions)
        if call.began is not None:
            with self._db.write() as session:
                runs.mark_started(session, call.began)

    @activity.defn(name=FINISH_RUN)
    def finish(self, call: FinishCall) -> RunResult:
        """Resolve the run's outputs and write its end into the index."""
        run_id = call.context.run_id
        self._sink.put_transitions(run_id, call.transitions)
        try:
            with self._db.write() as session:
                result = self._result(session, call)
                runs.finish(session, run_id, result.state, result.outputs, result.error)
                begin = run_queue.hand_on(session, run_id)
                granted = pool_leases.release_run(session, run_id)
        except RacineError as fault:
            raise as_failure(fault) from fault
        self._begin(begin)
        self._tell(granted)
        body = result.model_dump(mode="json", exclude={"state"})
        self._sink.put(run_id=run_id, n=runs.RUN_ENDED, kind=f"run_{result.state}", body=body)
        return result

    def _result(self, session: Session, call: FinishCall) -> RunResult:
        """Return how the run ended; outputs that cannot be resolved make it a failure."""
        if call.state != RunState.COMPLETED:
            return RunResult(state=call.state, error=call.error)
        try:
            outputs = dict(expressions.resolve(call.outputs, call.names))
        except RacineError as fault:
            error = {"code": fault.code, "message": f"The job's outputs: {fault.message}"}
            return RunResult(state=RunState.FAILED, error=error)
        content = json.dumps(outputs).encode()
        if len(content) <= INLINE_LIMIT:
            return RunResult(state=call.state, outputs=outputs)
        ref = blobs.put(session, call.context.workspace_id, content)
        return RunResult(state=call.state, outputs={"ref": ref})
