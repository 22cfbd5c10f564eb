"""Watches a run by its job's rules: a timer for each, and one activity that tells of a breach."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.names import ACTIVITY_QUEUE, BREACH, OWN
    from models.messages import BreachCall, RunContext
    from racine.definitions.health import Health, HealthMetric, OnBreach, next_deadline
    from racine.engine.scheduler import Scheduler
    from racine.engine.states import RunState
    from workflows.flow import Flow
    from workflows.waiting import settled

End = Callable[[RunState, dict[str, Any]], None]

_ENDS = {OnBreach.CANCEL: RunState.CANCELLED, OnBreach.FAIL: RunState.FAILED}


class Watch:
    """The timers of one execution of a run."""

    def __init__(
        self, health: Health, context: RunContext, flow: Flow, told: list[str], end: End
    ) -> None:
        self._health, self._context, self._flow, self._end = health, context, flow, end
        self.told = told
        """Breaches that were told, by rule and task: each is told once in a run."""
        self._timers: dict[str, asyncio.Task[None]] = {}
        self._telling: list[asyncio.Task[None]] = []
        self._tasks: Scheduler | None = None

    def begin(self, began: datetime) -> None:
        """Set the timers that concern the run as a whole."""
        for number, rule in enumerate(self._health.rules):
            if rule.metric is HealthMetric.RUN_DURATION_SECONDS:
                self._set(f"{number}:", began + timedelta(seconds=rule.value))
        if self._health.deadline is not None:
            zone = self._health.timezone_id
            self._set("deadline:", next_deadline(began, self._health.deadline, zone))

    def look(self, scheduler: Scheduler) -> None:
        """Set timers for tasks that have begun, and drop those of tasks that have ended."""
        self._tasks = scheduler
        open_ = self._open()
        for key in [k for k in self._timers if (task := _task(k)) and task not in open_]:
            self._timers.pop(key).cancel()
        for number, rule in enumerate(self._health.rules):
            if rule.metric is not HealthMetric.TASK_DURATION_SECONDS:
                continue
            for task in open_ if rule.task_key is None else [rule.task_key]:
                if task in open_:
                    self._set(f"{number}:{task}", workflow.now() + timedelta(seconds=rule.value))

    def _open(self) -> list[str]:
        """Return the keys of the tasks that run now."""
        tasks = self._tasks
        if tasks is None:
            return []
        return [tasks.plan.steps[n].key for n in tasks.running if n not in tasks.results]

    async def close(self) -> None:
        """Drop every timer, and wait until what was broken has been told, cancelled or not."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        if self._telling:
            await settled(asyncio.gather(*self._telling), None, lambda: None)

    def _set(self, key: str, moment: datetime) -> None:
        if key not in self._timers and key not in self.told:
            seconds = max(0.0, (moment - workflow.now()).total_seconds())
            self._timers[key] = asyncio.create_task(self._wait(key, seconds))

    async def _wait(self, key: str, seconds: float) -> None:
        await workflow.sleep(seconds)
        if (task := _task(key)) and task not in self._open():
            return
        self.told.append(key)
        call = self._breach(key)
        self._telling.append(asyncio.create_task(self._tell(key, call)))
        end = _ENDS.get(OnBreach(call.on_breach))
        if end is not None:
            error = {"code": "health", "message": call.message, "task_key": call.task_key}
            self._end(end, error)

    async def _tell(self, key: str, call: BreachCall) -> None:
        await workflow.execute_activity(
            BREACH, call, activity_id=f"{OWN}breach:{key}", task_queue=ACTIVITY_QUEUE,
            start_to_close_timeout=timedelta(seconds=60),
        )  # fmt: skip

    def _breach(self, key: str) -> BreachCall:
        name, task = key.split(":", 1)
        common = {"context": self._context, "rule": name, "task_key": task}
        if name == "deadline":
            when = f"{self._health.deadline} {self._health.timezone_id}"
            message = f"The run has not ended by {when}."
            return BreachCall(
                **common, metric="DEADLINE", on_breach=self._health.on_breach, message=message
            )
        rule = self._health.rules[int(name)]
        what = f"Task {task!r}" if task else "The run"
        return BreachCall(
            **common, metric=rule.metric, value=rule.value,
            on_breach=rule.on_breach or self._health.on_breach,
            message=f"{what} takes longer than {rule.value:g} s.",
        )  # fmt: skip


def _task(key: str) -> str:
    return key.split(":", 1)[1]
