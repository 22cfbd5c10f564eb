"""Why tasks wait: one sentence for each task of an open run that is not at work.

What the index knows is gathered in the reader's session, what Temporal knows beside it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session
from temporalio.client import Client

from activities.names import ACTIVITY_QUEUE, WORKFLOW_QUEUE
from models.stores import pool_leases, run_queue, sources, summaries
from models.stores.pool_leases import WAITING, Pool, PoolLease
from models.stores.run_queue import Turn
from models.stores.runs import Run
from racine.definitions.document import RunIf
from racine.definitions.pools import SOURCE_PREFIX
from racine.engine.states import FINAL_RUN_STATES, RunState, TaskState
from racine.errors import NotFound
from services import health, status
from services.status import PendingTask
from services.summaries import TaskView

_NAMED = 3
_PAST = datetime.fromtimestamp(0, UTC)

_LEFT_OUT = {
    "disabled": "It is disabled.",
    "branch": "It stands on a branch that was not taken.",
    "condition": "Its condition was not met.",
    "fail_fast": "Another task failed, and the job stops at the first failure.",
}
"""Sentences for the interpreter's reasons (`racine/engine/policies.py`)."""


@dataclass(frozen=True)
class Line:
    """A task's place among those that wait for a pool."""

    pool: str
    """What is shared, in words: a pool, or a source that only so many may use."""
    position: int
    slots: int
    of: int | None
    per_second: float | None = None
    """How many the pool lets begin in a second."""
    begins_at: datetime | None = None
    """Of one whose turn has come: when its token does."""


@dataclass(frozen=True)
class Known:
    """What the index knows of an open run's waiting."""

    turn: Turn | None = None
    lines: Mapping[str, Line] = field(default_factory=dict)
    asked: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    """What tasks said when they began to wait for a time or for people."""


@dataclass(frozen=True)
class Live:
    """What Temporal knows of it."""

    pending: Mapping[str, PendingTask] = field(default_factory=dict)
    idle: Mapping[str, str] = field(default_factory=dict)
    """Task queues that no worker takes from, and the sentence that says so."""


def known(session: Session, run: Run) -> Known:
    """Gather what the index knows of an open run; of one that has ended, nothing."""
    if run.state in FINAL_RUN_STATES:
        return Known()
    if run.state == RunState.QUEUED:
        return Known(turn=run_queue.turn(session, run))
    lines = {
        lease.task_key: _line(session, lease, pool)
        for lease, pool in pool_leases.of_run(session, run.id)
        if lease.state == WAITING or (lease.starts_at or _PAST) > datetime.now(UTC)
    }
    return Known(lines=lines, asked=summaries.asked(session, run.id))


def _line(session: Session, lease: PoolLease, pool: Pool) -> Line:
    what = f"the pool {pool.name!r}"
    if pool.name.startswith(SOURCE_PREFIX):
        with suppress(NotFound):
            what = (
                f"the source {sources.get(session, pool.name.removeprefix(SOURCE_PREFIX)).name!r}"
            )
    if lease.state != WAITING:
        return Line(what, 0, lease.slots, pool.slots, pool.tokens_per_second, lease.starts_at)
    position = pool_leases.position(session, lease)
    return Line(what, position, lease.slots, pool.slots, pool.tokens_per_second)


async def live(client: Client, run: Run) -> Live:
    """Gather what Temporal knows of an open run; raises Unavailable when it does not answer."""
    if run.state in FINAL_RUN_STATES or run.state == RunState.QUEUED:
        return Live()
    found = await status.status(client, run)
    named = {task.task_queue for task in found.pending if task.task_queue}
    idle = {q.name: q.reason for q in await health.queues(client, named) if q.workers == 0}
    return Live({task.task_key: task for task in found.pending}, idle)


def explain(run: Run, views: Sequence[TaskView], known: Known, live: Live) -> None:
    """Say of every task that is not at work why it waits, or why it was left out."""
    by_key = {view.key: view for view in views}
    for view in views:
        if view.state in (TaskState.SKIPPED, TaskState.EXCLUDED):
            view.waiting = _left_out(view, by_key)
        elif run.state not in FINAL_RUN_STATES:
            _explain_open(run, view, by_key, known, live)


def _explain_open(
    run: Run, view: TaskView, by_key: Mapping[str, TaskView], known: Known, live: Live
) -> None:
    held = live.pending.get(view.key)
    if held is not None:
        # Between two attempts the log says failed, and Temporal that it goes on.
        view.state, view.waiting = TaskState.RUNNING, _held(held, live)
    elif view.key in known.lines:
        view.waiting = _in_line(known.lines[view.key])
    elif view.state is TaskState.RUNNING:
        view.waiting = _inside(view, known, live)
    elif view.state is TaskState.FAILED and view.holds:
        view.waiting = "It failed, and waits for a person: retry it, skip it, or give its result."
    elif view.state is TaskState.PENDING:
        view.waiting = _pending(run, view, by_key, known, live)


def _held(task: PendingTask, live: Live) -> str:
    """Return why an activity that Temporal holds is not at work; nothing for one that is."""
    if task.next_attempt_at is not None:
        seconds = max(0.0, (task.next_attempt_at - datetime.now(UTC)).total_seconds())
        of = f" of {task.attempts_allowed}" if task.attempts_allowed else ""
        return f"Attempt {task.attempt}{of} comes in {seconds:.0f} s; the last: {task.last_error}"
    queue = task.task_queue or ACTIVITY_QUEUE
    if queue in live.idle:
        return live.idle[queue]
    return "No worker has taken it yet." if task.state == "queued" else ""


def _in_line(line: Line) -> str:
    rate = "" if line.per_second is None else f", which lets {line.per_second:g} begin a second"
    if line.begins_at is not None:
        seconds = max(0.0, (line.begins_at - datetime.now(UTC)).total_seconds())
        return f"It begins in {seconds:.0f} s: it shares {line.pool}{rate}."
    place = f"number {line.position} in line"
    if line.of is None and rate:
        return f"It waits for its turn at {line.pool}{rate}: {place}."
    of = "" if line.of is None else f" of its {line.of}"
    slots = "a slot" if line.slots == 1 else f"{line.slots} slots"
    return f"It waits for {slots}{of} of {line.pool}{rate}: {place}."


def _inside(view: TaskView, known: Known, live: Live) -> str:
    """Return why a task waits that has begun: for a time, or inside a loop for pools."""
    if WORKFLOW_QUEUE in live.idle:
        return live.idle[WORKFLOW_QUEUE]
    said = known.asked.get(view.key, {})
    if "until" in said:
        return f"It waits until {said['until']}."
    if "signal" in said:
        return f"It waits for the signal {said['signal']!r}."
    inner = [line.pool for key, line in known.lines.items() if key.startswith(f"{view.key}[")]
    told = [f"{many} of its tasks wait for {pool}"
            for pool, many in sorted(Counter(inner).items())]  # fmt: skip
    return f"{', '.join(told)}." if told else ""


def _pending(
    run: Run, view: TaskView, by_key: Mapping[str, TaskView], known: Known, live: Live
) -> str:
    if known.turn is not None:
        return f"The run is number {known.turn.position} in its job's queue: {known.turn.reason}"
    if view.key in known.asked:
        return _asked(known.asked[view.key])
    if WORKFLOW_QUEUE in live.idle:
        return live.idle[WORKFLOW_QUEUE]
    if run.state == RunState.SCHEDULED:
        return "The run has not been started yet."
    open_ = [up for up in _upstream(view) if not _over(by_key[up])]
    if open_:
        more = f" and {len(open_) - _NAMED} more" if len(open_) > _NAMED else ""
        return f"It waits for {', '.join(open_[:_NAMED])}{more}."
    if _is_barred(view, by_key):
        return _unmet(view, by_key)
    if view.held:
        return view.held
    if run.state == RunState.PAUSED:
        return "The run is paused."
    return "Its turn comes next."


def _asked(said: Mapping[str, Any]) -> str:
    if "required" not in said:
        return f"It waits for the signal {said['signal']!r}." if "signal" in said else "It waits."
    by = ", ".join(said.get("approvers") or ()) or "whoever may approve here"
    many = said["required"]
    return f"It waits for {many} approval{'s' if many > 1 else ''} by {by}."


def _left_out(view: TaskView, by_key: Mapping[str, TaskView]) -> str:
    if view.reason == "run_if":
        return _unmet(view, by_key)
    return _LEFT_OUT.get(view.reason, "A person left it out.")


def _is_barred(view: TaskView, by_key: Mapping[str, TaskView]) -> bool:
    """Tell whether a task will be skipped: the log hears of it with the run's next activity."""
    failed = any(by_key[up].state is TaskState.FAILED for up in _upstream(view))
    return failed and view.run_if in (RunIf.ALL_SUCCESS, RunIf.NONE_FAILED)


def _unmet(view: TaskView, by_key: Mapping[str, TaskView]) -> str:
    ended = ", ".join(f"{up} {by_key[up].state}" for up in _upstream(view)[:_NAMED])
    return f"Its run_if {view.run_if} was not met: {ended}."


def _upstream(view: TaskView) -> list[str]:
    return [upstream["task_key"] for upstream in view.depends_on]


def _over(view: TaskView) -> bool:
    return view.state not in (TaskState.PENDING, TaskState.RUNNING)
