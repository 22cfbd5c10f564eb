"""Runs of a part of a job: which of its tasks run, and where the values of the others are from."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from racine.definitions.graph import did_you_mean
from racine.engine.kept import Kept
from racine.engine.plan import Plan, Step
from racine.engine.states import TaskResult, TaskState
from racine.errors import Fault, InvalidInput
from racine.expressions import check, templates_in

LEFT_OUT = "selection"
"""Reason of a task that a run leaves out."""


@dataclass(frozen=True)
class Selection:
    """The part of a job that a run is to run; nothing chosen is all of it."""

    only: list[str] = field(default_factory=list)
    begin: list[str] = field(default_factory=list)
    """These tasks and all that follows them."""
    until: list[str] = field(default_factory=list)
    """These tasks and all that they follow."""
    values_from: str | None = None
    """An earlier run, whose results stand for the tasks that are left out."""

    @property
    def chooses(self) -> bool:
        return bool(self.only or self.begin or self.until)


def begin_with(plan: Plan, wanted: Selection, earlier: Kept | None) -> Kept:
    """Return what a run of a part begins with: the left-out tasks, by an earlier run's results.

    Raises InvalidInput for tasks that there are not, and where a task that runs reads one that is
    left out and has no result.
    """
    chosen = _chosen(plan, wanted)
    kept = Kept()
    for number, step in enumerate(plan.steps):
        if number in chosen:
            continue
        found = earlier.results.get(step.key) if earlier else None
        good = found is not None and found.state is TaskState.SUCCEEDED
        excluded = TaskResult(TaskState.EXCLUDED, reason=LEFT_OUT)
        kept.results[step.key] = found if good and found is not None else excluded
    faults = list(_unread(plan, chosen, kept))
    if faults:
        raise InvalidInput("Tasks that run read others that are left out.", faults=faults)
    return kept


def part_of(plan: Plan, kept: Kept | None) -> Plan:
    """Return the plan of a run of a part: nothing waits for what is left out, or gives it back."""
    gone = {key for key, result in (kept.results if kept else {}).items()
            if result.reason == LEFT_OUT}  # fmt: skip
    if not gone:
        return plan
    places = {number for number, step in enumerate(plan.steps) if step.key in gone}
    steps = [
        step.model_copy(
            update={
                "upstream": [edge for edge in step.upstream if edge[0] not in places],
                "downstream": [n for n in step.downstream if number not in places],
            }
        )
        for number, step in enumerate(plan.steps)
    ]
    outputs = {name: value for name, value in plan.outputs.items() if not gone & _tasks_in(value)}
    reads = [read for read in plan.output_reads if read[0] not in places]
    return plan.model_copy(update={"steps": steps, "outputs": outputs, "output_reads": reads})


def _chosen(plan: Plan, wanted: Selection) -> set[int]:
    known = {step.key: number for number, step in enumerate(plan.steps)}
    fields = {"only": wanted.only, "from": wanted.begin, "until": wanted.until}
    faults = [
        Fault(f"/{name}/{place}", f"There is no task {key!r}.", did_you_mean(key, known), "unknown")
        for name, keys in fields.items()
        for place, key in enumerate(keys)
        if key not in known
    ]
    if faults:
        raise InvalidInput("The run cannot be of these tasks.", faults=faults)
    chosen = set(range(len(plan.steps)))
    ways: Mapping[str, Callable[[Step], Iterable[int]]] = {
        "only": lambda step: (),
        "from": lambda step: step.downstream,
        "until": lambda step: [number for number, _ in step.upstream],
    }
    for name, keys in fields.items():
        if keys:
            chosen &= _reached(plan, [known[key] for key in keys], ways[name])
    return chosen


def _reached(
    plan: Plan, places: Sequence[int], next_of: Callable[[Step], Iterable[int]]
) -> set[int]:
    found, open_ = set(places), list(places)
    while open_:
        for number in next_of(plan.steps[open_.pop()]):
            if number not in found:
                found.add(number)
                open_.append(number)
    return found


def _unread(plan: Plan, chosen: set[int], kept: Kept) -> Iterable[Fault]:
    for number in sorted(chosen):
        for read, _ in plan.steps[number].reads:
            key = plan.steps[read].key
            if read not in chosen and kept.results[key].reason == LEFT_OUT:
                yield Fault(
                    "/values_from",
                    f"Task {plan.steps[number].key!r} reads {key!r}, which is left out.",
                    f"Name a run in which {key!r} succeeded, or run it too.",
                    "left_out",
                )


def _tasks_in(value: Any) -> set[str]:
    paths = (found.path for text in templates_in(value) for found in check(text))
    return {path[1] for path in paths if path[0] == "tasks" and len(path) > 1}
