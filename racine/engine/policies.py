"""Whether a task may start, given how its upstream ended, and what a run's end is called."""

from collections.abc import Callable, Mapping, Sequence

from racine.definitions.document import RunIf
from racine.engine.plan import Step
from racine.engine.states import RunState, TaskResult, TaskState

Upstream = Sequence[tuple[TaskResult | None, str | None]]
"""How each upstream ended, None while it has not, and the outcome that its edge asks for."""

_BAD = frozenset({TaskState.FAILED, TaskState.CANCELLED})


def _good(states: Sequence[TaskState]) -> int:
    return sum(s is TaskState.SUCCEEDED for s in states)


def _bad(states: Sequence[TaskState]) -> int:
    return sum(s in _BAD for s in states)


_RULES: dict[RunIf, Callable[[Sequence[TaskState]], bool]] = {
    RunIf.ALL_SUCCESS: lambda states: _good(states) == len(states),
    RunIf.AT_LEAST_ONE_SUCCESS: lambda states: _good(states) > 0,
    RunIf.NONE_FAILED: lambda states: not _bad(states) and _good(states) > 0,
    RunIf.ALL_DONE: lambda states: True,
    RunIf.AT_LEAST_ONE_FAILED: lambda states: _bad(states) > 0,
    RunIf.ALL_FAILED: lambda states: _bad(states) == len(states),
}

_ENOUGH: dict[RunIf, Callable[[Sequence[TaskState], int], bool]] = {
    RunIf.ALL_SUCCESS: lambda states, n: _good(states) >= n,
    RunIf.AT_LEAST_ONE_SUCCESS: lambda states, n: len(states) >= n and _good(states) > 0,
    RunIf.NONE_FAILED: lambda states, n: len(states) - _bad(states) >= n and _good(states) > 0,
    RunIf.AT_LEAST_ONE_FAILED: lambda states, n: len(states) >= n and _bad(states) > 0,
    RunIf.ALL_FAILED: lambda states, n: _bad(states) >= n,
}
"""Whether n of the states are such that the rule holds for them; ALL_DONE counts all states."""


def joined(step: Step, upstream: Upstream) -> bool:
    """Tell whether as many upstream as the step needs have ended so that its rule holds for them.

    A branch not taken counts for ALL_DONE alone.
    """
    ended = [_state(result, outcome) for result, outcome in upstream if result is not None]
    if step.run_if is RunIf.ALL_DONE:
        return len(ended) >= step.needs
    states = [state for state in ended if state is not TaskState.EXCLUDED]
    return _ENOUGH[step.run_if](states, step.needs)


def may_run(step: Step, upstream: Upstream) -> TaskResult | None:
    """Return None when the step may start, else how it ends at once."""
    if step.disabled:
        return TaskResult(TaskState.EXCLUDED, reason="disabled")
    ended = [(result, outcome) for result, outcome in upstream if result is not None]
    states = [_state(result, outcome) for result, outcome in ended]
    if not step.needs and any(_not_taken(result, outcome) for result, outcome in ended):
        return TaskResult(TaskState.EXCLUDED, reason="branch")
    # A branch not taken does not count against those who join after it.
    states = [state for state in states if state is not TaskState.EXCLUDED]
    if step.needs and joined(step, upstream):
        return None
    if upstream and not states:
        done = step.run_if is RunIf.ALL_DONE and not step.needs
        return None if done else TaskResult(TaskState.EXCLUDED, reason="branch")
    if step.needs or (states and not _RULES[step.run_if](states)):
        return TaskResult(TaskState.SKIPPED, reason="run_if")
    return None


def _state(result: TaskResult, outcome: str | None) -> TaskState:
    return TaskState.EXCLUDED if _not_taken(result, outcome) else result.state


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
