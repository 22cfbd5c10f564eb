"""What comes after the tasks of a job: undoing them, what follows, and the end in the index."""

import asyncio
from dataclasses import replace
from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.names import ACTIVITY_QUEUE, FINISH_RUN, OWN
    from models.messages import FinishCall, RunResult, Scope
    from racine.engine.plan import SHOWS_AT_CLOSE, Plan
    from racine.engine.policies import verdict
    from racine.engine.states import UNDONE, RunState, TaskState
    from workflows.compensation import Compensation
    from workflows.conclusion import first_failure
    from workflows.driving import Driving
    from workflows.execution import KEEPING
    from workflows.memory import parts
    from workflows.steps import Level
    from workflows.waiting import settled


class Ending(Driving):
    """Brings a run to its end, however it got there."""

    async def _afterwards(self, state: RunState) -> RunState:
        """Run `on_failure` after a failure, then `finally`; a failure there fails the run."""
        plan = self._given.plan
        if self._forced.done():
            return state
        if state is not RunState.COMPLETED:
            await self._compensate(state)
        if state is RunState.FAILED and plan.on_failure is not None:
            await self._run_after("on_failure", plan.on_failure, state)
        if plan.final is None:
            return state
        ended = await self._run_after("finally", plan.final, state)
        return ended if state is RunState.COMPLETED else state

    async def _compensate(self, state: RunState) -> None:
        """Undo what succeeded and can be undone, the last to end first; no failure stops it."""
        steps, results = self._given.plan.steps, self._main.results
        inside = Compensation(self._flow, self._after_main(state), self._run_level,
                              self._forced.done)  # fmt: skip
        for place in reversed(list(results)):
            step, result = steps[place], results[place]
            if self._forced.done():
                return
            succeeded, undone = result.state is TaskState.SUCCEEDED, False
            if step.undo is not None and succeeded:
                ended = await self._run_after(f"undo {step.key}", step.undo, state)
                undone = ended is RunState.COMPLETED
            if step.body is not None:
                undone = await inside.loop(step.key, step.body) or undone
            if undone and succeeded:
                # No repair may take for good what was undone.
                results[place] = replace(result, state=TaskState.CANCELLED, reason=UNDONE)
        if self._flow.undone and self._flow.memory is not None:
            for number, part in enumerate(parts(self._flow.memory.kept())):
                await self._write(part, f"{UNDONE}:{number:06}")

    async def _run_after(self, name: str, plan: Plan, state: RunState) -> RunState:
        read = {key for step in plan.steps for key in step.outer}
        places: list[Any] = [
            (n, None) for n, step in enumerate(self._given.plan.steps) if step.key in read
        ]
        tasks = self._main.names(places, [], [])["tasks"]
        around = self._after_main(state).model_copy(update={"outer_tasks": tasks})
        return await self._run_level(name, plan, around)

    def _after_main(self, state: RunState) -> Scope:
        """Return what tasks may name that come after those of the job."""
        scope = self._main.scope
        return scope.model_copy(update={"run": {**scope.run, "state": state.value}})

    async def _run_level(self, name: str, plan: Plan, scope: Scope) -> RunState:
        level = Level(self._flow, scope, plan, name=name)
        await self._drive(level)
        self._after.append(level)
        return verdict(plan.steps, level.results)

    async def _finish(self, state: RunState) -> RunResult:
        """Write the run's end into the index; a cancellation meanwhile changes nothing."""
        plan = self._given.plan
        if plan.version < SHOWS_AT_CLOSE:
            self._show(state)
        pieces = list(parts(self._kept())) if self._given.keeps else []
        for part in pieces[:-1]:
            await self._write(part)
        call = FinishCall(
            context=self._given.context,
            state=state,
            outputs=plan.outputs,
            names=self._main.names(plan.output_reads, None, []),
            error=self._error(state),
            transitions=self._flow.take(),
            kept=pieces[-1] if pieces else None,
            cancels=self._given.keeps and workflow.cancellation_reason() is None,
        )
        writing = asyncio.ensure_future(
            workflow.execute_activity(
                FINISH_RUN,
                call,
                activity_id=f"{OWN}finish",
                task_queue=ACTIVITY_QUEUE,
                result_type=RunResult,
                start_to_close_timeout=KEEPING,
            )
        )
        await settled(writing, None, lambda: None)
        return RunResult.model_validate(await writing)

    def _error(self, state: RunState) -> dict[str, Any] | None:
        if state is RunState.TIMED_OUT:
            limit = self._given.plan.timeout_seconds
            return {"code": "timed_out", "message": f"The run took longer than {limit:g} s."}
        if self._breach is not None:
            return self._breach
        if state is not RunState.FAILED:
            return None
        return next(filter(None, map(first_failure, [self._main, *self._after])), None)
