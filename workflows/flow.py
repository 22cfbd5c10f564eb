"""What all levels of one workflow share: its journal, its open schedulers and its pause."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from activities.names import ACTIVITY_QUEUE, OWN, RECORD
    from models.messages import (
        Lease,
        Left,
        RecordCall,
        RunContext,
        Transition,
    )
    from racine.engine.kept import Trail
    from racine.engine.scheduler import Scheduler
    from racine.engine.states import ATTEMPTS_PER_TRY, TaskResult
    from workflows.memory import Memory
    from workflows.people import Approval

if TYPE_CHECKING:
    from workflows.steps import Level

MAX_IN_FLIGHT = 100
"""Activities open at once in one workflow, over all its loops; each costs 6 KB of its memory."""

_MAX_EVENTS = 8_000
"""History events at which a run continues as new: Temporal warns at 10,240, kills at 51,200."""
_MAX_BYTES = 8 * 1024 * 1024
"""The same for its size: Temporal warns at 10 MB, kills at 50 MB."""

SIGNALS = "|signals"
"""Place of the signals that no task has taken yet."""

JUDGED = 4
"""Place of the end that a rule or a person gave a task, among its events."""

ORDERS = 100
"""Place of the first order among a task's events."""


class Flow:
    """One workflow's part of a run."""

    def __init__(
        self,
        context: RunContext,
        *,
        paused: bool = False,
        transitions: list[Transition] | None = None,
        left: dict[str, Left] | None = None,
        memory: Memory | None = None,
        first_try: int = 0,
        prompt: bool = False,
    ) -> None:
        self.context = context
        self.paused = paused
        self.memory = memory
        """What repairs will want to know of loops; None where nothing is kept for them."""
        self.first_try = first_try
        """How often tasks were begun in earlier executions of the run, at most."""
        self.highest_inside = 0
        """The highest try in the workflows of its loops."""
        self.rounds: dict[str, int] = {}
        """How often tasks were decided anew, by path, where they were."""
        self.draining = False
        """Nothing more is begun: the workflow continues as new."""
        self.busy = 0
        """What is open that cannot be taken along: activities and child workflows."""
        self.gate = asyncio.Semaphore(MAX_IN_FLIGHT)
        self.children: dict[str, workflow.ChildWorkflowHandle[Any, Any]] = {}
        # At once: an answer may come before the first task has gone on.
        self.approvals: dict[str, Approval] = {
            path: Approval(**item.state["question"])
            for path, item in (left or {}).items()
            if "question" in item.state
        }
        """Open questions, by the path of their task."""
        self._before = dict(left or {})
        before = self._before.pop(SIGNALS, None)
        self.signals: dict[str, list[Any]] = dict(before.state) if before else {}
        """Payloads of signals that no task has taken yet, by name."""
        self.stuck: dict[str, asyncio.Event] = {}
        """Failed tasks that wait for a person, by path; set to try them again."""
        self.tries: dict[str, int] = {}
        """How often each task was begun, by path; only those begun more than once are carried."""
        self.leases: dict[str, asyncio.Future[Lease]] = {}
        """What is or was waited for, by the lease's id."""
        self.levels: dict[str, Level] = {}
        """What runs here, by the prefix of its tasks' paths."""
        self.stretches: dict[str, tuple[str, int, int]] = {}
        """Loop, first iteration and count of those that workflows of their own hold."""
        self.held: dict[str, str] = {}
        """Tasks that may not begin, by path, and why."""
        self.judged: set[str] = set()
        """Tasks whose failure is told, and that are skipped or held for that."""
        self.orders = 0
        self.answers: dict[str, Any] = {}
        """What was answered to orders, by their ids."""
        self.trails: dict[str, Trail] = {}
        """What can be undone of loops, by path."""
        self.trail_blobs = 0
        self.undone = False
        """Whether any task of an iteration was undone."""
        self._records = 0
        self._schedulers: list[Scheduler] = []
        self._transitions = transitions or []
        self._prompt = prompt
        """Whether the log hears at once of what no activity takes along."""
        self._teller: asyncio.Task[None] | None = None
        self.left: dict[str, Left] = {}
        """What is half done, by place, for the workflow that continues this one."""

    def enter(self, level: "Level") -> None:
        self._schedulers.append(level.scheduler)
        self.levels[level.scope.prefix] = level
        # It may have been told otherwise since the level was made.
        level.scheduler.paused = self.paused
        if self.draining:
            level.scheduler.drain()

    def leave(self, level: "Level") -> None:
        self._schedulers.remove(level.scheduler)
        if self.levels.get(level.scope.prefix) is level:
            del self.levels[level.scope.prefix]

    def holder(self, path: str) -> str | None:
        """Return the workflow that holds what stands at a path, None when it is not a loop's."""
        for name, (loop, start, count) in self.stretches.items():
            if path.startswith(f"{loop}["):
                number, _, _ = path[len(loop) + 1 :].partition("]")
                if number.isdigit() and start <= int(number) < start + count:
                    return name
        return None

    def decided_anew(self, path: str) -> None:
        """Take note that a task will be decided anew, with all that is inside it."""
        self.rounds[path] = self.rounds.get(path, 0) + 1
        self._before = {p: left for p, left in self._before.items() if not stands_in(p, path)}
        self.approvals = {p: asked for p, asked in self.approvals.items() if not stands_in(p, path)}
        self.trails = {p: trail for p, trail in self.trails.items() if not stands_in(p, path)}
        if self.memory is not None:
            self.memory.forget(path)

    def has_undone(self, prefix: str, key: str, result: TaskResult) -> None:
        """Take note that a task of an iteration, whose result that was, is undone."""
        self.undone = True
        if self.memory is not None:
            self.memory.undone(prefix, key, result)

    async def released(self, path: str) -> bool:
        """Wait until a held task may begin; tell False when the run is drained before."""
        await self.flush()

        def may() -> bool:
            return path not in self.held and not self.paused

        await workflow.wait_condition(lambda: may() or self.drained)
        return may()

    def recall(self, place: str) -> Left | None:
        """Return once what was half done at a place before the run continued as new."""
        return self._before.pop(place, None)

    def mind_length(self) -> None:
        """Begin nothing more once the history is long; what runs ends or is taken along."""
        if not self.draining and _history_is_long():
            self.drain()

    def drain(self) -> None:
        """Begin nothing more; what runs ends or is taken along."""
        self.draining = True
        for scheduler in self._schedulers:
            scheduler.drain()

    @property
    def drained(self) -> bool:
        """Whether all that is still open can be taken along."""
        return self.draining and not self.busy

    @contextmanager
    def working(self) -> Iterator[None]:
        """Hold back the end of this history while something is open that cannot be taken along."""
        self.busy += 1
        try:
            yield
        finally:
            self.busy -= 1

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

    def granted(self, lease: Lease) -> None:
        """Take note that slots are held, whether or not somebody waits for them yet."""
        found = self.lease(lease.lease_id)
        if not found.done():
            found.set_result(lease)

    def lease(self, lease_id: str) -> "asyncio.Future[Lease]":
        """Return what becomes done when the lease is held."""
        return self.leases.setdefault(lease_id, asyncio.get_running_loop().create_future())

    def begin(self, path: str) -> int:
        """Count a try of a task and return its number."""
        self.judged.discard(path)
        self.tries[path] = self.tries.get(path, self.first_try) + 1
        return self.tries[path]

    @property
    def highest_try(self) -> int:
        """After which number another execution goes on, so that no event has that of an earlier."""
        noted = self.first_try + max(self.rounds.values(), default=0) + 1
        return max([noted, self.highest_inside, *self.tries.values()])

    def leaving(self) -> dict[str, Left]:
        """Return what is half done, here or since before, and what nobody has taken yet."""
        waiting = {name: payloads for name, payloads in self.signals.items() if payloads}
        return {**self._before, **self.left, **({SIGNALS: Left(state=waiting)} if waiting else {})}

    def asking(self) -> dict[str, Approval]:
        """Return the questions that are taken along; people may go on answering them."""
        for place, left in self.left.items():
            if "question" in left.state:
                self.approvals[place] = Approval(**left.state["question"])
        return self.approvals

    def begun_again(self) -> dict[str, int]:
        """Return the tasks begun more than once, or still open, and how often."""
        open_ = {place.partition(":")[0] for place in self.left}
        once = self.first_try + 1
        return {p: count for p, count in self.tries.items() if count > once or p in open_}

    async def flush(self, *, began: str | None = None) -> None:
        """Write down what happened so far, before a wait that may be long.

        `began` is a run that Temporal has taken.
        """
        with self.working():
            await self._record(self.take(), began)

    async def _record(self, transitions: list[Transition], began: str | None = None) -> None:
        self._records += 1
        await workflow.execute_activity(
            RECORD,
            RecordCall(context=self.context, transitions=transitions, began=began),
            activity_id=f"{OWN}record:{self._records}",
            task_queue=ACTIVITY_QUEUE,
            start_to_close_timeout=timedelta(seconds=60),
        )

    def tell_soon(self) -> None:
        """Have what was noted written down, unless an activity that begins now takes it along."""
        idle = self._teller is None or self._teller.done()
        if self._prompt and self._transitions and idle:
            self._teller = asyncio.create_task(self._tell())

    async def _tell(self) -> None:
        while True:
            # A condition is asked once nothing more can go on in this turn.
            await workflow.wait_condition(lambda: True)
            noted, told = self._transitions, list(self._transitions)
            if not told:
                return
            try:
                await self._record(told)
            except ActivityError:
                return
            # Whatever ends this history meanwhile tells it too, and the log keeps the first.
            if self._transitions is noted:
                del noted[: len(told)]

    async def tell_people(self) -> None:
        """Write down what no activity will take along before somebody has decided."""
        if self._transitions and not self.busy and self.memory is not None:
            with suppress(ActivityError):
                await self.flush()

    def note(self, task_key: str, kind: str, body: dict[str, Any], *, n: int) -> None:
        """Keep a transition for the event log; the next activity takes it along."""
        # In the log, what is decided anew stands beside what was decided before.
        began = self.tries.get(task_key, self.first_try + 1) - 1
        attempt = ATTEMPTS_PER_TRY * max(began, self.first_try + self.rounds.get(task_key, 0))
        self._transitions.append(
            Transition(task_key=task_key, n=n, kind=kind, attempt=attempt, body=body)
        )

    def ended(self, task_key: str, result: TaskResult) -> None:
        """Note the end of a step that no activity will write down."""
        body: dict[str, Any] = {"outcome": result.outcome} if result.outcome else {}
        if result.error:
            body["error"] = result.error
        if result.reason:
            body["reason"] = result.reason
        self.note(task_key, result.state.value, body, n=JUDGED if task_key in self.judged else 1)

    def take(self) -> list[Transition]:
        """Give away what the event log has not been told, once."""
        taken, self._transitions = self._transitions, []
        return taken


def stands_in(place: str, path: str) -> bool:
    """Tell whether a place is that of a task or an iteration, or of something inside it."""
    inner = place.removeprefix("|")
    return inner == path or inner.startswith((f"{path}[", f"{path}.", f"{path}:"))


def _history_is_long() -> bool:
    info = workflow.info()
    return (
        info.is_continue_as_new_suggested()
        or info.get_current_history_length() > _MAX_EVENTS
        or info.get_current_history_size() > _MAX_BYTES
    )
