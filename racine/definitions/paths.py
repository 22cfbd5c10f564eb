"""What a job's graph says before it runs: edges that change nothing, tasks that never run, and the
longest way through it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from racine.definitions.document import JobDocument, Join, RunIf, Task
from racine.definitions.scope import Scope
from racine.errors import Fault

_MAX_HINTS = 100
"""Redundant edges and dead tasks told at once of one level."""
_UNKNOWN_SECONDS = 1.0
"""What a task counts that nobody measured and that declares no time."""


def graph_hints(scope: Scope) -> Iterator[Fault]:
    """Yield hints about a sound level: `scope.ancestors` is filled in topological order."""
    redundant = _redundant(scope)
    for (key, number), _ in zip(redundant, range(_MAX_HINTS), strict=False):
        placed = scope.keys[key]
        upstream = placed.task.depends_on[number].task_key
        yield Fault(
            f"{placed.pointer}/depends_on/{number}",
            f"{key!r} waits for {upstream!r} anyway, through others.",
            "Remove the edge: nothing changes.",
            "redundant_edge",
        )
    never = _never(scope)
    for key in [key for key in scope.keys if key in never][:_MAX_HINTS]:
        yield Fault(scope.keys[key].pointer, f"Task {key!r} can never run: {never[key]}.",
                    "Change its edges or its condition, or remove it.", "unreachable")  # fmt: skip


def _redundant(scope: Scope) -> Iterator[tuple[str, int]]:
    """Yield edges whose upstream is waited for by another one too: task and number of the edge.

    Only where every task on the other way needs all before it to have succeeded, and cannot be left
    out: anywhere else the edge decides something.
    """
    strict = dict.fromkeys(scope.ancestors, 0)
    for key in scope.ancestors:
        task = scope.keys[key].task
        if not _is_strict(task):
            continue
        direct = [edge.task_key for edge in task.depends_on if edge.task_key in strict]
        through = 0
        for upstream in direct:
            through |= strict[upstream]
        strict[key] = through
        for upstream in direct:
            strict[key] |= 1 << scope.places[upstream]
        for number, edge in enumerate(task.depends_on):
            if edge.task_key in strict and through >> scope.places[edge.task_key] & 1:
                yield key, number


def _is_strict(task: Task) -> bool:
    plain = task.run_if is RunIf.ALL_SUCCESS and task.join is Join.ALL
    certain = not task.disabled and task.condition is None
    return plain and certain and not any(edge.outcome for edge in task.depends_on)


def _never(scope: Scope) -> dict[str, str]:
    """Return the tasks that no run can reach, each with why; disabled ones are meant to be so."""
    dead: dict[str, str] = {}
    off: set[str] = set()
    for key in scope.ancestors:
        task = scope.keys[key].task
        if task.disabled:
            off.add(key)
        elif why := _why_never(task, off):
            dead[key] = why
            off.add(key)
    return dead


def _why_never(task: Task, off: set[str]) -> str:
    if task.condition is not None and task.condition.strip() == "false":
        return "its condition is false"
    edges = task.depends_on
    asked: dict[str, set[str]] = {}
    for edge in edges:
        if edge.outcome is not None:
            asked.setdefault(edge.task_key, set()).add(edge.outcome)
    if task.join is Join.ALL:
        for upstream, outcomes in asked.items():
            if len(outcomes) > 1:
                return f"{upstream!r} ends with one of {', '.join(sorted(outcomes))}, not with all"
    if edges and task.run_if is not RunIf.ALL_DONE and all(e.task_key in off for e in edges):
        return "nothing that it waits for ever runs"
    return ""


@dataclass
class Expected:
    """When a task begins and ends in a run where all goes well, in seconds from its start."""

    seconds: float
    measured: bool
    begins: float = 0
    slack: float = 0
    """How much longer it may take without the run taking longer."""

    @property
    def ends(self) -> float:
        return self.begins + self.seconds


@dataclass
class Estimate:
    seconds: float = 0
    critical: list[str] = field(default_factory=list)
    """The tasks of the longest way, in order."""
    tasks: dict[str, Expected] = field(default_factory=dict)


def estimate(document: JobDocument, measured: Mapping[str, float]) -> Estimate:
    """Return the longest way through a sound document's tasks, and the slack of all others.

    A task takes the seconds that `measured` gives, else those that it declares to wait, else 1; a
    loop takes its body as often as its list and its concurrency say.
    """
    return _estimated(document.tasks, measured)


def _estimated(tasks: Sequence[Task], measured: Mapping[str, float]) -> Estimate:
    order = _ordered(tasks)
    found = {task.task_key: Expected(*_seconds(task, measured)) for task in order}
    for task in order:
        ends = (found[edge.task_key].ends for edge in task.depends_on)
        found[task.task_key].begins = max(ends, default=0.0)
    whole = max((expected.ends for expected in found.values()), default=0.0)
    latest = dict.fromkeys(found, whole)
    for task in reversed(order):
        key = task.task_key
        found[key].slack = latest[key] - found[key].ends
        for edge in task.depends_on:
            begin = latest[key] - found[key].seconds
            latest[edge.task_key] = min(latest[edge.task_key], begin)
    return Estimate(whole, _critical(order, found, whole), found)


def _critical(order: Sequence[Task], found: Mapping[str, Expected], whole: float) -> list[str]:
    by_key = {task.task_key: task for task in order}
    last = next((key for key, expected in found.items() if expected.ends >= whole), None)
    way: list[str] = []
    while last is not None:
        way.append(last)
        begins = found[last].begins
        before = (edge.task_key for edge in by_key[last].depends_on)
        last = next((key for key in before if found[key].ends >= begins), None)
    return way[::-1]


def _seconds(task: Task, measured: Mapping[str, float]) -> tuple[float, bool]:
    """Return how long a task takes, and whether somebody measured it."""
    if task.task_key in measured:
        return measured[task.task_key], True
    if task.wait_task is not None and task.wait_task.duration_seconds is not None:
        return task.wait_task.duration_seconds, False
    body = task.works[0].inner()
    if not body:
        return _UNKNOWN_SECONDS, False
    return _estimated(body, measured).seconds * _rounds(task), False


def _rounds(task: Task) -> int:
    loop = task.for_each_task
    if loop is None or not isinstance(loop.inputs, list):
        return 1
    items = -(-len(loop.inputs) // (loop.batch_size or 1))
    return -(-items // loop.concurrency)


def _ordered(tasks: Sequence[Task]) -> list[Task]:
    """Return tasks so that each stands after what it waits for."""
    waiting = {task.task_key: len(task.depends_on) for task in tasks}
    followers: dict[str, list[Task]] = {task.task_key: [] for task in tasks}
    for task in tasks:
        for edge in task.depends_on:
            followers[edge.task_key].append(task)
    ready = [task for task in tasks if not task.depends_on]
    for task in ready:
        for follower in followers[task.task_key]:
            waiting[follower.task_key] -= 1
            if waiting[follower.task_key] == 0:
                ready.append(follower)
    return ready
