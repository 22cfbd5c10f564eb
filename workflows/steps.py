"""How the interpreter carries out one level of a plan, step by step of each kind."""

import asyncio
from collections.abc import Callable
from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from models.messages import Scope
    from racine.engine.plan import Plan, Read, Step
    from racine.engine.scheduler import Scheduler
    from racine.engine.states import TaskResult, TaskState
    from racine.errors import RacineError
    from workflows.flow import Flow
    from workflows.kinds import HANDLERS


class Level:
    """Runs one plan in one place: the job itself, an iteration of a loop, or what comes after."""

    def __init__(
        self,
        flow: Flow,
        scope: Scope,
        plan: Plan,
        *,
        results: dict[int, TaskResult] | None = None,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self.flow = flow
        self.scope = scope
        self.plan = plan
        self.scheduler = Scheduler(
            plan,
            self._execute,
            self._observe,
            results=results or {},
            paused=flow.paused,
            hold=plan.hold,
        )
        self._on_change = on_change
        """Called whenever a step has begun or ended."""

    @property
    def results(self) -> dict[int, TaskResult]:
        return self.scheduler.results

    async def run(self) -> None:
        """Run the plan to its end, or until it is stopped or drained."""
        self.flow.enter(self.scheduler)
        try:
            await self.scheduler.run()
        except asyncio.CancelledError:
            if not self.flow.stopping:
                raise
            self.scheduler.stop()
            await self.scheduler.run()
            raise
        finally:
            self.flow.leave(self.scheduler)

    def names(
        self, reads: list[Read], params: list[str] | None, outer: list[str]
    ) -> dict[str, Any]:
        """Return what expressions may refer to: of other steps, only what they read."""
        steps, scope = self.plan.steps, self.scope
        tasks = {key: scope.outer_tasks[key] for key in outer if key in scope.outer_tasks}
        for number, fields in reads:
            if number in self.results:
                tasks[steps[number].key] = _view(self.results[number], fields)
        given = scope.parameters
        if params is not None:
            given = {name: given[name] for name in params if name in given}
        return {"params": given, "run": scope.run, "tasks": tasks, **scope.loop}

    def path(self, step: Step) -> str:
        """Return a task's key with the loops around it."""
        return self.scope.prefix + step.key

    def names_of(self, step: Step) -> dict[str, Any]:
        return self.names(step.reads, step.params, step.outer)

    async def _execute(self, number: int, step: Step) -> TaskResult:
        self._on_change()
        try:
            result = await HANDLERS[step.kind](self, step)
        except RacineError as fault:
            error = {"code": fault.code, "message": fault.message, "next_step": fault.next_step}
            result = self.told(step, TaskResult(TaskState.FAILED, error=error))
        self._on_change()
        return result

    def _observe(self, number: int, result: TaskResult) -> None:
        self.told(self.plan.steps[number], result)

    def told(self, step: Step, result: TaskResult) -> TaskResult:
        """Note the end of a step that no activity has written down, and return it."""
        self.flow.ended(self.path(step), result)
        return result


def _view(result: TaskResult, fields: list[str] | None) -> dict[str, Any]:
    values = result.values or {}
    if fields is not None:
        values = {name: values[name] for name in fields if name in values}
    seen: dict[str, Any] = {"values": values, "state": result.state.value}
    for name in ("outcome", "error", "ref"):
        if (found := getattr(result, name)) is not None:
            seen[name] = found
    return seen
