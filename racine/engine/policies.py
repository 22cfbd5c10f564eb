"""Whether a task may start, given how its upstream ended."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from racine.definitions.document import RunIf
from racine.engine.plan import Step
from racine.engine.states import TaskState

if TYPE_CHECKING:
    from racine.engine.scheduler import TaskResult

_BAD = frozenset({TaskState.FAILED, TaskState.CANCELLED})

_RULES: dict[RunIf, Callable[[Sequence[TaskState]], bool]] = {
    RunIf.ALL_SUCCESS: lambda states: all(s is TaskState.SUCCEEDED for s in states),
    RunIf.AT_LEAST_ONE_SUCCESS: lambda states: any(s is TaskState.SUCCEEDED for s in states),
    RunIf.NONE_FAILED: lambda states: (
        not any(s in _BAD for s in states) and any(s is TaskState.SUCCEEDED for s in states)
    ),
    RunIf.ALL_DONE: lambda states: True,
    RunIf.AT_LEAST_ONE_FAILED: lambda states: any(s in _BAD for s in states),
    RunIf.ALL_FAILED: lambda states: all(s in _BAD for s in states),
}


def may_run(step: Step, upstream: Sequence[tuple["TaskResult", str | None]]) -> TaskState | None:
    """Return None when the step may start, else the state in which it ends at once."""
    if step.disabled:
        return TaskState.EXCLUDED
    if any(_not_taken(result, outcome) for result, outcome in upstream):
        return TaskState.EXCLUDED
    # A branch not taken does not count against those who join after it.
    states = [r.state for r, _ in upstream if r.state is not TaskState.EXCLUDED]
    if upstream and not states:
        return None if step.run_if is RunIf.ALL_DONE else TaskState.EXCLUDED
    if states and not _RULES[step.run_if](states):
        return TaskState.SKIPPED
    return None


def _not_taken(result: "TaskResult", outcome: str | None) -> bool:
    return outcome is not None and result.state is TaskState.SUCCEEDED and result.outcome != outcome
