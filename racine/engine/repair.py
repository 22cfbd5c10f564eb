"""What a repair runs again and what it keeps: decided before anything is done, so it can be shown.

A repair is what earlier executions have left, less what is to run again: whatever has no result
runs, and a loop that is entered again runs the iterations that have not succeeded.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from racine.engine.kept import Kept, numbers, stretches
from racine.engine.plan import Plan, Step
from racine.engine.states import TaskResult, TaskState
from racine.errors import Conflict, Fault, InvalidInput

_BAD = frozenset({TaskState.FAILED, TaskState.CANCELLED})
_SEGMENT = re.compile(
    r"(?P<key>[A-Za-z_][A-Za-z0-9_]*)(\[(?P<number>\d{1,9}|\*)\])?(\.(?P<rest>.+))?"
)

CHOSEN = "It was chosen."
FAILED = "It failed."
CANCELLED = "It was cancelled."
NEVER = "It has not run yet."
NOTHING_KEPT = "Its iteration had succeeded: nothing of it was kept but that."


@dataclass(frozen=True)
class Again:
    """A task or an iteration that will run again, or be decided anew."""

    path: str
    why: str
    was: str
    """How it had ended; empty when it had not."""


@dataclass(frozen=True)
class Stays:
    """A task whose result is kept; of a loop that is entered again, its good iterations."""

    path: str
    state: str
    iterations: int | None = None


@dataclass(frozen=True)
class Outlook:
    """All that a repair will do."""

    again: list[Again]
    stays: list[Stays]
    left: Kept
    """What the repaired run begins with."""
    anew: list[str]
    """Paths of what is forgotten with all that is inside it, open questions too."""


@dataclass(frozen=True)
class _Place:
    """One segment of a path, and what follows it."""

    whole: str
    key: str
    number: str | None
    rest: str | None


def outlook(
    plan: Plan, kept: Kept, tasks: Sequence[str] = (), *, dependents: bool = True
) -> Outlook:
    """Return what repairing the tasks at these paths does; none are all that failed.

    `per_table[3]` is one iteration, `per_table[3].clean` a task in it, `per_table` the iterations
    that failed, or all of them where none did, `per_table[*]` all of them. A loop that is entered
    for one iteration also runs the others that have not succeeded. With `dependents`, all
    that follows runs again too.

    Raises InvalidInput for paths that lead nowhere, Conflict when nothing is left to do.
    """
    surgeon = _Surgeon(kept.model_copy(deep=True), dependents)
    surgeon.level(plan, "", [_parsed(path) for path in tasks] or None)
    if surgeon.faults:
        raise InvalidInput("These tasks cannot be repaired.", faults=surgeon.faults)
    if not surgeon.again:
        raise Conflict("Nothing failed.", next_step="Name the tasks that shall run again.")
    keys = {step.key for step in plan.steps}
    left = surgeon.kept
    left.results = {p: r for p, r in left.results.items() if re.split(r"[.\[]", p)[0] in keys}
    return Outlook(list(surgeon.again.values()), list(_stays(plan, left)), left, surgeon.anew)


def _stays(plan: Plan, left: Kept) -> "list[Stays]":
    found = []
    for step in plan.steps:
        result, loop = left.results.get(step.key), left.loops.get(step.key)
        if result is not None:
            found.append(Stays(step.key, result.state.value))
        elif loop is not None and loop.done:
            found.append(Stays(step.key, TaskState.SUCCEEDED.value, len(numbers(loop.done))))
    return found


def _parsed(path: str) -> _Place:
    match = _SEGMENT.fullmatch(path)
    if match is None or (match["rest"] and match["number"] in (None, "*")):
        fault = Fault("/tasks", f"{path!r} is no path of a task.",
                      "Write clean, per_table[3] or per_table[3].clean.", "task_path")  # fmt: skip
        raise InvalidInput("These tasks cannot be repaired.", faults=[fault])
    return _Place(path, match["key"], match["number"], match["rest"])


@dataclass
class _Surgeon:
    """Takes out of what was kept whatever shall run again."""

    kept: Kept
    dependents: bool
    again: dict[str, Again] = field(default_factory=dict)
    anew: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def level(self, plan: Plan, prefix: str, wanted: Sequence[_Place] | None) -> None:
        """Repair one level: its wanted steps, all that failed when it is None."""
        touched = {
            number
            for number, step in enumerate(plan.steps)
            if self._repairs(step, prefix + step.key, wanted)
        }
        known = {step.key for step in plan.steps}
        for place in wanted or ():
            if place.key not in known:
                self._refuse(place.whole, f"There is no task {prefix + place.key!r}.")
        if self.dependents:
            self._follow(plan, prefix, touched)

    def _repairs(self, step: Step, path: str, wanted: Sequence[_Place] | None) -> bool:
        """Repair one step; tell whether what follows it is touched by that."""
        result = self.kept.results.get(path)
        if result is None and path not in self.kept.loops:
            self._note(path, NEVER)
            return False
        if wanted is None:
            bad = result is None or result.state in _BAD
            return bad and self._once_more(
                step, path, CANCELLED if result is None else _why(result)
            )
        mine = [place for place in wanted if place.key == step.key]
        for place in mine:
            self._chosen(step, path, place)
        if result is None and not mine:
            # It was under way when the run was ended: it goes on where it stood.
            self._once_more(step, path, NEVER)
        return bool(mine)

    def _chosen(self, step: Step, path: str, place: _Place) -> None:
        if place.number is None:
            self._once_more(step, path, CHOSEN)
        elif place.number == "*":
            self._anew(path, CHOSEN, step.body)
        elif (loop := self.kept.loops.get(path)) is None or step.body is None:
            self._refuse(place.whole, f"Nothing is known of iterations of {path!r}.")
        elif int(place.number) >= loop.count:
            self._refuse(place.whole, f"{path!r} has {loop.count} iterations, from 0.")
        else:
            self._enter(step.body, path, int(place.number), place.rest)

    def _once_more(self, step: Step, path: str, why: str) -> bool:
        """Run a step again; of a loop, the iterations that have not succeeded, if any are left."""
        loop = self.kept.loops.get(path)
        if loop is not None and step.body is not None:
            done = set(numbers(loop.done))
            left = [number for number in range(loop.count) if number not in done]
            for number in left:
                self._mend(step.body, path, number)
            if left:
                self.kept.results.pop(path, None)
                return True
        self._anew(path, why, step.body)
        return True

    def _mend(self, body: Plan, path: str, number: int) -> None:
        """Run what failed in an iteration, all of it where nothing is known of it."""
        prefix = f"{path}[{number}]."
        if any(prefix + step.key in self.kept.results for step in body.steps):
            self.level(body, prefix, None)
        else:
            self._note(prefix[:-1], NEVER)

    def _enter(self, body: Plan, path: str, number: int, rest: str | None) -> None:
        """Repair one iteration, or a task in it."""
        loop, prefix = self.kept.loops[path], f"{path}[{number}]."
        succeeded = number in numbers(loop.done)
        self.kept.results.pop(path, None)
        if succeeded:
            left = [n for n in numbers(loop.done) if n != number]
            self.kept.loops[path] = loop.model_copy(update={"done": stretches(left)})
        if rest is None or succeeded:
            self._anew(prefix[:-1], CHOSEN if rest is None else NOTHING_KEPT, body)
        else:
            self.level(body, prefix, [_parsed(rest)])
        for other in sorted({*range(loop.count)} - {number, *numbers(loop.done)}):
            # A loop that is entered again runs all that has not succeeded.
            self._mend(body, path, other)

    def _anew(self, path: str, why: str, body: Plan | None) -> None:
        """Forget all that is known of a task or an iteration, and of what is inside it."""
        self._note(path, why)
        self.anew.append(path)
        kept, inside = self.kept, (f"{path}[", f"{path}.")
        kept.trails.pop(path, None)
        if body is None:
            kept.results.pop(path, None)
            return
        kept.results = {
            p: r for p, r in kept.results.items() if p != path and not p.startswith(inside)
        }
        kept.loops = {p: k for p, k in kept.loops.items() if p != path and not p.startswith(inside)}

    def _follow(self, plan: Plan, prefix: str, touched: set[int]) -> None:
        after: dict[int, int] = {}
        open_ = sorted(touched)
        for number in open_:
            for follower in plan.steps[number].downstream:
                if follower not in touched and follower not in after:
                    after[follower] = number
                    open_.append(follower)
        for number in sorted(after):
            first = prefix + plan.steps[after[number]].key
            step = plan.steps[number]
            self._anew(prefix + step.key, f"It follows {first}.", step.body)

    def _note(self, path: str, why: str) -> None:
        was = self.kept.results.get(path)
        self.again.setdefault(path, Again(path, why, was.state.value if was else ""))

    def _refuse(self, path: str, message: str) -> None:
        self.faults.append(Fault("/tasks", message, f"Look at {path!r} again.", "task_path"))


def _why(result: TaskResult) -> str:
    return FAILED if result.state is TaskState.FAILED else CANCELLED
