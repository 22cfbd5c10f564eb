"""Whether a task may start, given how its upstream ended, and what a run's end is called."""

from collections.abc import Callable, Mapping, Sequence

from racine.definitions.document import RunIf
from racine.engine.plan import Step
from racine.engine.states import RunState, TaskResult, TaskState

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


def may_run(step: Step, upstream: Sequence[tuple[TaskResult, str | None]]) -> TaskState | None:
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


def _not_taken(result: TaskResult, outcome: str | None) -> bool:
    return outcome is not None and result.state is TaskState.SUCCEEDED and result.outcome != outcome


def verdict(steps: Sequence[Step], results: Mapping[int, TaskResult]) -> RunState:
    """Judge a run by its leaves: a failure that a later task dealt with is none."""
    failed: list[bool] = []
    for number, step in enumerate(steps):
        state = results[number].state
        passed_on = state in (TaskState.SKIPPED, TaskState.EXCLUDED)
        inherited = passed_on and any(failed[index] for index, _ in step.upstream)
        failed.append(state is TaskState.FAILED or inherited)
    leaves = (failed[n] for n, step in enumerate(steps) if not step.downstream)
    return RunState.FAILED if any(leaves) else RunState.COMPLETED


def root_failures(steps: Sequence[Step], results: Mapping[int, TaskResult]) -> list[int]:
    """Return the places of the steps that failed themselves, in the plan's order."""
    return [n for n in range(len(steps)) if results[n].state is TaskState.FAILED]
