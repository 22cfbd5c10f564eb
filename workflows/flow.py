"""What all levels of one workflow share: its journal, its open schedulers and its pause."""

import asyncio
from datetime import timedelta
from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.names import ACTIVITY_QUEUE, OWN, RECORD
    from models.messages import RecordCall, RunContext, Transition
    from racine.engine.scheduler import Scheduler
    from racine.engine.states import TaskResult
    from workflows.people import Approval

MAX_IN_FLIGHT = 100
"""Activities open at once in one workflow, over all its loops; each costs 6 KB of its memory."""

ORDERS = 100
"""Place of the first order among a task's events."""


class Flow:
    """One workflow's part of a run."""

    def __init__(
        self, *, paused: bool = False, transitions: list[Transition] | None = None
    ) -> None:
        self.paused = paused
        self.stopping = False
        self.gate = asyncio.Semaphore(MAX_IN_FLIGHT)
        self.children: dict[str, workflow.ChildWorkflowHandle[Any, Any]] = {}
        self.approvals: dict[str, Approval] = {}
        """Open questions, by the path of their task."""
        self.tries: dict[str, int] = {}
        """How often each task was begun, by path; only those begun more than once are carried."""
        self._records = 0
        self._schedulers: list[Scheduler] = []
        self._transitions = transitions or []

    def enter(self, scheduler: Scheduler) -> None:
        self._schedulers.append(scheduler)

    def leave(self, scheduler: Scheduler) -> None:
        self._schedulers.remove(scheduler)

    async def pause(self) -> None:
        """Start nothing more, here and in the workflows of loops."""
        self.paused = True
        for scheduler in self._schedulers:
            scheduler.pause()
        for child in list(self.children.values()):
            await child.signal("pause")

    async def resume(self) -> None:
        self.paused = False
        for scheduler in self._schedulers:
            scheduler.resume()
        for child in list(self.children.values()):
            await child.signal("resume")

    async def resumed(self) -> None:
        """Wait until the run is not paused."""
        if self.paused:
            await workflow.wait_condition(lambda: not self.paused)

    def begin(self, path: str) -> int:
        """Count a try of a task and return its number."""
        self.tries[path] = self.tries.get(path, 0) + 1
        return self.tries[path]

    async def flush(self, context: RunContext) -> None:
        """Write down what happened so far, before a wait that may be long."""
        self._records += 1
        await workflow.execute_activity(
            RECORD,
            RecordCall(context=context, transitions=self.take()),
            activity_id=f"{OWN}record:{self._records}",
            task_queue=ACTIVITY_QUEUE,
            start_to_close_timeout=timedelta(seconds=60),
        )

    def note(self, task_key: str, kind: str, body: dict[str, Any], *, n: int) -> None:
        """Keep a transition for the event log; the next activity takes it along."""
        self._transitions.append(Transition(task_key=task_key, n=n, kind=kind, body=body))

    def ended(self, task_key: str, result: TaskResult) -> None:
        """Note the end of a step that no activity will write down."""
        body: dict[str, Any] = {"outcome": result.outcome} if result.outcome else {}
        if result.error:
            body["error"] = result.error
        self.note(task_key, result.state.value, body, n=1)

    def take(self) -> list[Transition]:
        """Give away what the event log has not been told, once."""
        taken, self._transitions = self._transitions, []
        return taken
