"""What each overlap policy means for the runs that a schedule records."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.stores import runs, schedules
from models.tables.runs import Run
from racine.definitions.schedules import Overlap, ScheduleSpec
from services import controls, firings
from services import schedules as service
from services.reconciler import Reconciler
from tests.eventually import eventually
from tests.temporal.conftest import Stack

ASK: dict[str, Any] = {
    "name": "asks",
    "tasks": [{"task_key": "ask", "approval_task": {"self_approval": True}}],
}


class Fired:
    """A schedule that fires when told to, of a job whose runs stay open until approved."""

    def __init__(self, stack: Stack, overlap: Overlap) -> None:
        self.stack = stack
        self.job_id = stack.save(ASK)
        wish = ScheduleSpec.model_validate(
            {"name": "nightly", "cron": "0 1 1 1 *", "overlap": overlap}
        )
        with stack.db.write() as session:
            self.row = service.create(session, stack.actor, self.job_id, wish)
        db, client = stack.db, stack.temporal.client
        self.reconciler = Reconciler(
            db, client, grace=timedelta(), also=[firings.Duty(db, client, grace=timedelta())]
        )

    def fire(self) -> None:
        self.stack.temporal.run(
            service.trigger(self.stack.db, self.stack.temporal.client, self.row)
        )

    def states(self) -> list[str]:
        """The states of the recorded runs, oldest first."""
        with self.stack.db.read() as session:
            return list(session.scalars(select(Run.state).order_by(Run.created_at, Run.id)))

    def wait_for(self, *wanted: str) -> None:
        """Let the reconciler do its rounds until the recorded runs are in these states."""

        def look(session: Session) -> bool | None:
            self.stack.temporal.run(self.reconciler.round())
            found = session.scalars(select(Run.state).order_by(Run.created_at, Run.id)).all()
            return list(found) == list(wanted) or None

        self.stack.wait_for(look)

    def approve(self, number: int) -> None:
        with self.stack.db.read() as session:
            run_id = session.scalars(select(Run.id).order_by(Run.created_at, Run.id)).all()[number]

        def asked(session: Session) -> bool | None:
            events = runs.events_after(session, run_id, 0)
            return "waiting" in [event.kind for event in events] or None

        self.stack.wait_for(asked)
        with self.stack.db.write() as session:
            order = controls.record(
                session, self.stack.actor, run_id, controls.Action.APPROVE, {"task_key": "ask"}
            )
        self.stack.temporal.run(controls.deliver(self.stack.db, self.stack.temporal.client, order))

    def skipped(self) -> int:
        """How many firings Temporal left out because the last run went on."""
        handle = self.stack.temporal.client.get_schedule_handle(service.temporal_id(self.row))
        info = self.stack.temporal.run(handle.describe()).info
        return info.num_actions_skipped_overlap

    def actions(self) -> int:
        handle = self.stack.temporal.client.get_schedule_handle(service.temporal_id(self.row))
        return self.stack.temporal.run(handle.describe()).info.num_actions


Make = Callable[[Overlap], Fired]


@pytest.fixture
def schedule(stack: Stack) -> Iterator[Make]:
    """Makes the test's schedule; it is gone from Temporal afterwards."""
    made: list[Fired] = []

    def make(overlap: Overlap) -> Fired:
        made.append(Fired(stack, overlap))
        return made[0]

    yield make
    for fired in made:
        handle = stack.temporal.client.get_schedule_handle(service.temporal_id(fired.row))
        stack.temporal.run(handle.delete())


def test_skip_leaves_out_what_comes_while_a_run_goes_on(schedule: Make) -> None:
    fired = schedule(Overlap.SKIP)
    fired.fire()
    fired.wait_for("running")
    fired.fire()
    eventually(lambda: fired.skipped() == 1, "one firing is skipped")
    fired.approve(0)
    fired.wait_for("completed")


def test_buffer_one_keeps_one_firing_and_no_more(schedule: Make) -> None:
    fired = schedule(Overlap.BUFFER_ONE)
    fired.fire()
    fired.wait_for("running")
    fired.fire()
    fired.fire()
    eventually(lambda: fired.skipped() == 1, "one firing is skipped")
    fired.approve(0)
    fired.wait_for("completed", "running")
    fired.approve(1)
    fired.wait_for("completed", "completed")


def test_buffer_all_runs_every_firing_one_after_another(schedule: Make) -> None:
    fired = schedule(Overlap.BUFFER_ALL)
    for _ in range(3):
        fired.fire()
    fired.wait_for("running")
    fired.approve(0)
    fired.wait_for("completed", "running")
    fired.approve(1)
    fired.wait_for("completed", "completed", "running")
    fired.approve(2)
    fired.wait_for("completed", "completed", "completed")


def test_cancel_other_lets_the_run_before_clean_up_and_end(schedule: Make) -> None:
    fired = schedule(Overlap.CANCEL_OTHER)
    fired.fire()
    fired.wait_for("running")
    fired.fire()
    fired.wait_for("cancelled", "running")
    fired.approve(1)
    fired.wait_for("cancelled", "completed")


def test_terminate_other_ends_the_run_before_at_once(schedule: Make) -> None:
    fired = schedule(Overlap.TERMINATE_OTHER)
    fired.fire()
    fired.wait_for("running")
    fired.fire()
    fired.wait_for("terminated", "running")
    fired.approve(1)
    fired.wait_for("terminated", "completed")


def test_allow_all_runs_them_side_by_side(schedule: Make) -> None:
    fired = schedule(Overlap.ALLOW_ALL)
    fired.fire()
    second = datetime.now(UTC).second
    # Temporal names a firing by its second, and knows no two of one name at once.
    eventually(lambda: datetime.now(UTC).second != second, "a second passes")
    fired.fire()
    fired.wait_for("running", "running")
    fired.approve(1)
    fired.approve(0)
    fired.wait_for("completed", "completed")


def test_rights_that_were_taken_end_the_schedule_s_runs_and_say_so(schedule: Make) -> None:
    fired = schedule(Overlap.SKIP)
    with fired.stack.db.write() as session:
        schedules.change(schedules.get(session, fired.row.id), actor="usr_gone")
    fired.fire()
    fired.wait_for("failed")
    with fired.stack.db.read() as session:
        error = session.scalars(select(Run.error)).one()
    assert error is not None
    assert error["code"] == "forbidden"
    assert "the rights of who last changed it" in error["message"]
    assert "usr_gone may not workflows:run" in error["message"]
