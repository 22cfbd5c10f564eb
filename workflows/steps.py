"""How the interpreter carries out one level of a plan, step by step of each kind."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from models.messages import Left, Scope
    from racine import expressions
    from racine.engine.plan import PROMPT, Plan, Read, Step
    from racine.engine.scheduler import Scheduler, ordered
    from racine.engine.states import TaskResult, TaskState, view_of
    from racine.errors import RacineError
    from workflows.attempts import failed
    from workflows.flow import Flow
    from workflows.kinds import HANDLERS
    from workflows.rules import by_rules

_WAITING = {"wait_task", "approval_task", "run_job_task"}
"""Kinds whose end people look for; of other tasks in loops the next iteration tells."""


class Level:
    """Runs one plan in one place: the job itself, an iteration of a loop, or what comes after."""

    def __init__(
        self,
        flow: Flow,
        scope: Scope,
        plan: Plan,
        *,
        name: str = "",
        results: dict[int, TaskResult] | None = None,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self.flow = flow
        self.scope = scope
        self.plan = plan
        self.place = f"{name}|{scope.prefix}"
        """Where the level stands in its run, for what it leaves behind."""
        self.scheduler = Scheduler(
            plan,
            self._execute,
            self._observe,
            results=results or self._recalled(),
            paused=flow.paused,
            hold=plan.hold,
            fail_fast=plan.fail_fast,
        )
        self._on_change = on_change
        """Called whenever a step has begun or ended."""

    def _recalled(self) -> dict[int, TaskResult]:
        left = self.flow.recall(self.place)
        if left is None:
            return {}
        places = {step.key: number for number, step in enumerate(self.plan.steps)}
        return {places[key]: result for key, result in left.results.items() if key in places}

    @property
    def results(self) -> dict[int, TaskResult]:
        return self.scheduler.results

    async def run(self) -> None:
        """Run the plan to its end, or until it is stopped or drained."""
        self.flow.enter(self)
        try:
            await self.scheduler.run()
        except asyncio.CancelledError as fault:
            if not ordered(fault):
                raise
            self.scheduler.stop()
            await self.scheduler.run()
            raise
        finally:
            self.flow.leave(self)
        if not self.scheduler.complete:
            self.flow.left[self.place] = Left(results=self.still_read())

    def still_read(self) -> dict[str, TaskResult]:
        """Return all results by task key, with values only where something still reads them."""
        steps, results, plan = self.plan.steps, self.results, self.plan
        wanted = {n for number, step in enumerate(steps) if number not in results
                  for n, _ in step.reads}  # fmt: skip
        wanted |= {n for n, _ in plan.output_reads}
        later = [plan.on_failure, plan.final, *(step.undo for step in steps)]
        after = {key for p in later if p for s in p.steps for key in s.outer}
        return {
            steps[n].key: result
            if n in wanted or steps[n].key in after
            else replace(result, values=None)
            for n, result in results.items()
        }

    def names(
        self, reads: list[Read], params: list[str] | None, outer: list[str]
    ) -> dict[str, Any]:
        """Return what expressions may refer to: of other steps, only what they read."""
        steps, scope = self.plan.steps, self.scope
        tasks = {key: scope.outer_tasks[key] for key in outer if key in scope.outer_tasks}
        for number, fields in reads:
            if number in self.results:
                tasks[steps[number].key] = view_of(self.results[number], fields)
        given = scope.parameters
        if params is not None:
            given = {name: given[name] for name in params if name in given}
        return {"params": given, "run": scope.run, "tasks": tasks, **scope.loop}

    def inside(self, step: Step, plan: Plan, number: int, loop: dict[str, Any]) -> "Level":
        """Return the level of one pass through a step's body; `loop` is what it may name."""
        scope = self.scope.model_copy(
            update={
                "prefix": f"{self.path(step)}[{number}].",
                "outer_tasks": self.names_of(step)["tasks"],
                "loop": loop,
            }
        )
        return Level(self.flow, scope, plan)

    def asked(self) -> dict[str, Any]:
        """Return what the expressions may name that are asked over this level once it has ended."""
        return self.names(self.plan.output_reads, None, list(self.scope.outer_tasks))

    def path(self, step: Step) -> str:
        """Return a task's key with the loops around it."""
        return self.scope.prefix + step.key

    def has_begun(self, number: int) -> bool:
        """Tell whether a task has: one that is held has not, nor one that was passed over."""
        if number in self.results:
            return self.results[number].state is not TaskState.SKIPPED
        held = self.path(self.plan.steps[number]) in self.flow.held
        return number in self.scheduler.running and not held

    def names_of(self, step: Step) -> dict[str, Any]:
        return self.names(step.reads, step.params, step.outer)

    async def _execute(self, number: int, step: Step) -> TaskResult | None:
        self._on_change()
        self.flow.mind_length()
        try:
            result = await self._carry_out(number, step)
        except (RacineError, ActivityError) as fault:
            result = self.told(step, failed(fault))
        if result is not None and self._concerns_people(step, result):
            await self.flow.tell_people()
        self._on_change()
        self.flow.mind_length()
        return result

    def _concerns_people(self, step: Step, result: TaskResult) -> bool:
        """Tell whether somebody whom the run waits for will want to know of it at once."""
        if self.plan.version >= PROMPT:
            return False
        failed = result.state is TaskState.FAILED
        return (failed and self.plan.hold) or (
            bool(self.flow.approvals) and (failed or step.body is not None)
        )

    async def _carry_out(self, number: int, step: Step) -> TaskResult | None:
        if self.flow.held and self.path(step) in self.flow.held:
            if not await self.flow.released(self.path(step)):
                return None
            step = self.plan.steps[number]  # as long as it was held, it could be changed
        if step.condition is not None and not self._wanted(step, step.condition):
            return self.told(step, TaskResult(TaskState.EXCLUDED, reason="condition"))
        if step.tried_here:
            return await by_rules(self, step, lambda s: HANDLERS[step.kind](self, s))
        return await HANDLERS[step.kind](self, step)

    def _wanted(self, step: Step, condition: str) -> bool:
        return expressions.is_true(condition, self.names_of(step))

    def _observe(self, number: int, result: TaskResult) -> None:
        self.told(self.plan.steps[number], result)

    def began(self, step: Step, kind: str, body: dict[str, Any]) -> None:
        """Begin a try of a step that no activity writes down."""
        path = self.path(step)
        self.flow.begin(path)
        self.flow.note(path, kind, body, n=0)

    def told(self, step: Step, result: TaskResult) -> TaskResult:
        """Note the end of a step that no activity has written down, and return it."""
        self.flow.ended(self.path(step), result)
        if not self.scope.prefix or step.kind in _WAITING:
            self.flow.tell_soon()
        return result
