"""Keeps the index of runs: what the interpreter asks for itself."""

from temporalio import activity

from activities.events import EventSink
from activities.names import FINISH_RUN
from models.messages import FinishCall
from models.session import Database
from models.stores import runs


class RunActivities:
    def __init__(self, db: Database, sink: EventSink) -> None:
        self._db = db
        self._sink = sink

    @activity.defn(name=FINISH_RUN)
    def finish(self, call: FinishCall) -> None:
        """Write the run's end into the index, with the transitions nobody has written yet."""
        run_id = call.context.run_id
        events = [
            {"run_id": run_id, "task_key": t.task_key, "n": t.n, "kind": t.kind, "body": t.body}
            for t in call.transitions
        ]
        with self._db.write() as session:
            if events:
                runs.add_events(session, events)
            runs.finish(session, run_id, call.state, call.outputs, call.error)
        self._sink.put(run_id=run_id, n=1_000_000, kind=f"run_{call.state}", body=call.outputs)
