"""Tells of a run that broke a rule of its job: an event in its log, and one notification."""

from temporalio import activity

from activities.names import BREACH
from models.messages import BreachCall
from models.session import Database
from models.stores import breaches, runs


class HealthActivities:
    def __init__(self, db: Database) -> None:
        self._db = db

    @activity.defn(name=BREACH)
    def breach(self, call: BreachCall) -> None:
        """Write a breach down; again changes nothing."""
        body = call.model_dump(mode="json", exclude={"context"})
        with self._db.write() as session:
            run = runs.get(session, call.context.run_id)
            breaches.tell(session, run, body, call.context.repair)
