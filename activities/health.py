"""Tells of a run that broke a rule of its job: an event in its log, and one notification."""

from zlib import crc32

from temporalio import activity

from activities.events import EventSink
from activities.names import BREACH
from models.messages import BreachCall
from models.session import Database
from models.stores import notifications, runs

_PLACE = 1 << 30
"""Breaches stand beyond all other events of a run, each at a place that follows from its rule."""


class HealthActivities:
    def __init__(self, db: Database, sink: EventSink) -> None:
        self._db, self._sink = db, sink

    @activity.defn(name=BREACH)
    def breach(self, call: BreachCall) -> None:
        """Write a breach down; again changes nothing."""
        context = call.context
        body = call.model_dump(mode="json", exclude={"context"})
        key = f"{context.repair}:{call.rule}:{call.task_key}"
        with self._db.write() as session:
            name = runs.get(session, context.run_id).workflow_id.split("/")[0]
            notifications.leave(
                session,
                context.workspace_id,
                run_id=context.run_id,
                task_key=f"{call.task_key}:health:{call.rule}",
                subject=f"{name}: {call.message}"[:200],
                body=f"Run {context.run_id}. {_DONE[call.on_breach]}",
                severity="warning" if call.on_breach == "notify" else "error",
            )
        self._sink.put(
            run_id=context.run_id,
            n=_PLACE | (crc32(key.encode()) & (_PLACE - 1)),
            kind=runs.BREACH,
            body=body,
        )


_DONE = {
    "notify": "It goes on.",
    "cancel": "It was cancelled.",
    "fail": "It was ended as failed.",
}
