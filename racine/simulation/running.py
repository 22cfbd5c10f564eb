"""Simulates a run: which tasks run, in which order, and how each ends."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from racine import expressions
from racine.definitions.document import JobDocument
from racine.definitions.every_task import every_task
from racine.definitions.parameters import bind
from racine.engine.plan import Plan, Step, compile_plan
from racine.engine.policies import root_failures, verdict
from racine.engine.scheduler import Scheduler
from racine.engine.states import UNDONE, RunState, TaskResult, TaskState
from racine.errors import RacineError
from racine.simulation.attempts import Attempts, Perform, Stopped, described
from racine.simulation.clock import run_at_once, seconds, when_idle
from racine.simulation.deciding import DECIDED
from racine.simulation.mocks import read_mocks
from racine.simulation.pools import Pools

BEGAN = "2026-01-01T00:00:00+00:00"
"""When a simulated run begins unless its caller says otherwise."""

_IN_FLIGHT = 100


@dataclass
class SimulatedTask:
    """How a task went; times are simulated seconds since the run began, None if it never did."""

    kind: str
    result: TaskResult
    attempts: int = 0
    started: float | None = None
    ended: float | None = None


@dataclass
class Simulation:
    """How a simulated run went; tasks go by path: `clean`, `each[3].clean`."""

    state: RunState = RunState.COMPLETED
    outputs: dict[str, Any] = field(default_factory=dict)
    error: dict[str, Any] | None = None
    tasks: dict[str, SimulatedTask] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    """The tasks that began, in the order in which they did."""
    unmocked: list[str] = field(default_factory=list)
    """Tasks for which nobody gave an answer: they succeeded, and returned nothing."""
    held: list[str] = field(default_factory=list)
    """Tasks that a person would have to decide about: the run would go on, and wait."""
    seconds: float = 0

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON: the tasks as a list, in the order in which they ended or began."""
        return {
            "state": self.state.value,
            "outputs": self.outputs,
            "error": self.error,
            "seconds": self.seconds,
            "order": self.order,
            "unmocked": self.unmocked,
            "held": self.held,
            "tasks": [{"path": path, **_told(task)} for path, task in self.tasks.items()],
        }


def _told(task: SimulatedTask) -> dict[str, Any]:
    result = task.result
    return {
        "kind": task.kind, "state": result.state.value, "reason": result.reason,
        "outcome": result.outcome, "values": result.values or {}, "error": result.error,
        "attempts": task.attempts, "started": task.started, "ended": task.ended,
    }  # fmt: skip


@dataclass(frozen=True)
class Place:
    """Where a plan is carried out, and what its expressions may refer to beside its own tasks."""

    run: "Run"
    names: Mapping[str, Any]
    """`params` and `run`."""
    outer: Mapping[str, Any] = field(default_factory=dict)
    """Tasks of the levels around."""
    loop: Mapping[str, Any] = field(default_factory=dict)
    prefix: str = ""


def simulate(
    document: JobDocument,
    parameters: Mapping[str, Any],
    mocks: Mapping[str, Any],
    *,
    perform: Perform | None = None,
    began: str = BEGAN,
) -> Simulation:
    """Run a sound document in simulated time.

    A task that has an effect does what its mock says, else what `perform` does. Raises InvalidInput
    for mocks or parameters that do not fit, and for a run of too many steps.
    """
    keys = {found.task.task_key for found in every_task(document)}
    answers = read_mocks(mocks, keys)
    attempts = Attempts(answers, perform)
    plan = compile_plan(document)
    about = {"id": "run_simulated", "job": plan.job, "workspace": "simulated",
             "start_time": began, "logical_time": began}  # fmt: skip
    names = {"params": bind(document.parameters, parameters), "run": about}
    run = Run(attempts, Pools(answers.pools), datetime.fromisoformat(began))
    return run_at_once(run.whole(plan, names))


class Run:
    """What all levels of a simulated run share."""

    def __init__(self, attempts: Attempts, pools: Pools, began: datetime) -> None:
        self.attempts = attempts
        self.pools = pools
        self.began = began
        self.told = Simulation(unmocked=attempts.unmocked, held=attempts.held)
        self.left = False
        """Whether nothing more happens without a person: what is open stays so."""
        self.gate = asyncio.Semaphore(_IN_FLIGHT)

    async def whole(self, plan: Plan, names: dict[str, Any]) -> Simulation:
        """Run the tasks, then what comes after a failure, then what comes last."""
        told, main = self.told, Level(plan, Place(self, names))
        told.state = await self._drive(main, plan.timeout_seconds)
        if told.state in (RunState.FAILED, RunState.RUNNING):
            told.error = main.first_error()
        if not self.left:
            await self._afterwards(plan, main)
        if self.left:
            told.state = RunState.RUNNING
        if told.state is RunState.COMPLETED:
            self._give(plan.outputs, main.names())
        told.seconds = seconds()
        return told

    async def _afterwards(self, plan: Plan, main: "Level") -> None:
        told = self.told
        if told.state is not RunState.COMPLETED:
            await self._compensate(main)
        if told.state is RunState.FAILED and plan.on_failure is not None:
            await self._after(plan.on_failure, main)
        if plan.final is not None:
            ended = await self._after(plan.final, main)
            told.state = ended if told.state is RunState.COMPLETED else told.state

    async def _compensate(self, level: "Level") -> None:
        """Undo what succeeded and can be undone, the last to end first; no failure stops it."""
        steps, results = level.plan.steps, level.scheduler.results
        for number in reversed(list(results)):
            step, result = steps[number], results[number]
            if step.undo is not None and result.state is TaskState.SUCCEEDED:
                if await self._after(step.undo, level) is RunState.COMPLETED:
                    results[number] = replace(result, state=TaskState.CANCELLED, reason=UNDONE)
            for inside in reversed(level.passed.get(step.key, [])):
                await self._compensate(inside)

    async def _drive(self, level: "Level", limit: float | None = None) -> RunState:
        """Run a level to its end, to its time limit, or until only a person could go on."""
        if self.left:
            return RunState.RUNNING
        when_idle(lambda: self._leave(level))
        work = asyncio.create_task(level.run())
        done, _ = await asyncio.wait([work], timeout=limit)
        if not done:
            level.scheduler.stop()
        await work
        if self.left:
            return RunState.RUNNING
        return level.verdict() if done else RunState.TIMED_OUT

    def _leave(self, level: "Level") -> None:
        self.left = True
        self.attempts.held += level.failed() if level.plan.hold else []
        level.scheduler.stop()

    async def _after(self, plan: Plan, around: "Level") -> RunState:
        place = around.place
        names = {**place.names, "run": {**place.names["run"], "state": self.told.state.value}}
        outer = {**place.outer, **around.views()}
        level = Level(plan, replace(place, names=names, outer=outer))
        return await self._drive(level)

    def _give(self, outputs: dict[str, Any], names: dict[str, Any]) -> None:
        try:
            self.told.outputs = dict(expressions.resolve(outputs, names))
        except RacineError as fault:
            self.told.state, self.told.error = RunState.FAILED, described(fault)


class Level:
    """One plan in one place: the job itself, an iteration of a loop, or what comes after."""

    def __init__(self, plan: Plan, place: Place) -> None:
        self.plan = plan
        self.place = place
        self.passed: dict[str, list[Level]] = {}
        """Iterations by the key of their step, in the order in which they ended."""
        self.scheduler = Scheduler(
            plan, self._execute, self._ended, fail_fast=plan.fail_fast, hold=plan.hold
        )

    async def passing(self, step: Step, inside: "Level") -> None:
        """Run one iteration of a step; where it can be undone, it is kept for that."""
        try:
            await inside.run()
        finally:
            if inside.plan.undoes:
                self.passed.setdefault(step.key, []).append(inside)

    async def run(self) -> None:
        try:
            await self.scheduler.run()
        except asyncio.CancelledError:
            self.scheduler.stop()
            await self.scheduler.run()
            raise

    def failed(self) -> list[str]:
        """Return the paths of the tasks that failed themselves."""
        ended = sorted(self.scheduler.results.items())
        found = [number for number, result in ended if result.state is TaskState.FAILED]
        return [self.path(self.plan.steps[number]) for number in found]

    def verdict(self) -> RunState:
        return verdict(self.plan.steps, self.scheduler.results)

    def views(self) -> dict[str, Any]:
        """Return what expressions may refer to of the tasks that have ended."""
        steps, results = self.plan.steps, self.scheduler.results
        return {steps[number].key: _view(result) for number, result in sorted(results.items())}

    def first_error(self) -> dict[str, Any] | None:
        """Return the error of the first task that failed itself, its place before its message."""
        failed = root_failures(self.plan.steps, self.scheduler.results)
        if not failed:
            return None
        error = self.scheduler.results[failed[0]].error or {"code": "failed"}
        key = self.plan.steps[failed[0]].key
        return {**error, "message": f"{key}: {error.get('message', 'failed')}"}

    def names(self) -> dict[str, Any]:
        tasks = {**self.place.outer, **self.views()}
        return {**self.place.names, "tasks": tasks, **self.place.loop}

    def inside(self, step: Step, number: int, loop: Mapping[str, Any]) -> "Level":
        """Return the level of one iteration of a step."""
        assert step.body is not None
        prefix = f"{self.path(step)}[{number}]."
        outer = self.names()["tasks"]
        return Level(step.body, replace(self.place, outer=outer, loop=loop, prefix=prefix))

    def path(self, step: Step) -> str:
        return self.place.prefix + step.key

    def _ended(self, number: int, result: TaskResult) -> None:
        if self.place.run.left:
            return
        step = self.plan.steps[number]
        task = self.place.run.told.tasks.setdefault(
            self.path(step), SimulatedTask(step.kind, result)
        )
        task.result = result
        if task.started is not None:
            task.ended = seconds()

    async def _execute(self, number: int, step: Step) -> TaskResult:
        try:
            result = await self._carry_out(step)
        except Stopped:
            raise
        except RacineError as fault:
            result = TaskResult(TaskState.FAILED, error=described(fault))
        self._ended(number, result)
        return result

    async def _carry_out(self, step: Step) -> TaskResult:
        run, names = self.place.run, self.names()
        if step.condition is not None and not expressions.is_true(step.condition, names):
            return TaskResult(TaskState.EXCLUDED, reason="condition")
        if step.kind in DECIDED:
            self._begun(step)
            return await DECIDED[step.kind](self, step, names)
        async with run.gate, run.pools.slots(step, self.plan):
            task, policy = self._begun(step), step.retry_policy or self.plan.retry_policy
            result, task.attempts = await run.attempts.carry_out(
                step, self.path(step), names, policy
            )
        return result

    def _begun(self, step: Step) -> SimulatedTask:
        run, path = self.place.run, self.path(step)
        task = SimulatedTask(step.kind, TaskResult(TaskState.RUNNING), 1, seconds())
        run.told.tasks[path] = task
        run.told.order.append(path)
        run.attempts.count()
        return task


def _view(result: TaskResult) -> dict[str, Any]:
    seen = {"values": result.values or {}, "state": result.state.value}
    optional = {"outcome": result.outcome, "error": result.error}
    return seen | {name: value for name, value in optional.items() if value is not None}
