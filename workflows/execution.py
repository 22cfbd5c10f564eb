"""What a run holds from its begin to its end, and how it is told to end early."""

import asyncio
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeKey

with workflow.unsafe.imports_passed_through():
    from activities.names import ACTIVITY_QUEUE, OWN, RECORD
    from models.messages import JobInput, RecordCall, RepairOrder, Scope
    from models.temporal import STATE
    from racine.engine.kept import Kept
    from racine.engine.plan import PROMPT
    from racine.engine.states import RunState, TaskResult
    from workflows.flow import Flow
    from workflows.health import Watch
    from workflows.memory import Memory, half_done
    from workflows.orders import Ordered, not_now, refusal
    from workflows.steps import Level

_STATE = SearchAttributeKey.for_keyword(STATE)
KEEPING = timedelta(seconds=60)
"""Time limit of what writes down a run's results or its end."""
_SHOWN = 5
"""Running tasks that Temporal Web names."""


class Execution(Ordered):
    """One execution of a run: what it begins with, goes on with, and keeps for repairs."""

    def _take_up(self, given: JobInput) -> None:
        """Begin, or go on with what an earlier history of the run left."""
        self._given = given
        carried, kept = given.carried, given.kept
        self._began_at = (carried and carried.began_at) or workflow.info().start_time
        """When this execution of the run began; its time limit counts from then."""
        self._started_at = carried.started_at if carried else _first_start(kept) or self._began_at
        self._ends_as = RunState(carried.ends_as) if carried and carried.ends_as else None
        """Why the run ends before its plan does."""
        self._closed = False
        self._forced: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when the run shall end without waiting for what runs."""
        self._repair: RepairOrder | None = None
        """A repair that takes hold once all that runs now has ended or can be taken along."""
        self._parts = carried.parts if carried else 0
        self._flow = _flow_of(given)
        self._main = Level(
            self._flow,
            _scope(given, self._started_at),
            given.plan,
            results=_by_place(given),
            on_change=self._on_change,
        )
        # Orders may come before the first task has gone on.
        self._flow.levels[""] = self._main
        self._before = dict(self._main.results)
        """Results that are kept already."""
        self._level = self._main
        """What runs now: the job's tasks, or those that come after."""
        self._after: list[Level] = []
        self._breach: dict[str, Any] | None = None
        """What ended the run, where a rule of its health did."""
        told = list(carried.breaches) if carried else []
        health = given.plan.health
        self._watch = (
            Watch(health, given.context, self._flow, told, self._on_breach) if health else None
        )

    def _is_shown(self) -> bool:
        """Tell whether Temporal has shown a state of the run since its start."""
        return workflow.info().typed_search_attributes.get(_STATE) is not None

    def _require_open(self, verb: str) -> None:
        if self._repair is not None or self._away:
            raise not_now()
        if self._closed or self._ends_as is not None:
            raise refusal(f"The run is ending: there is nothing to {verb}.")

    def _on_cancel(self) -> None:
        self._stop(RunState.CANCELLED)

    def _on_breach(self, end: RunState, error: dict[str, Any]) -> None:
        """End a run that broke a rule of its health; what comes after it still runs."""
        if self._ends_as is None and self._level is self._main:
            self._breach = error
            self._stop(end)

    def _stop(self, end: RunState) -> None:
        """End what runs; a second order also ends what was to come after."""
        if self._ends_as is None or self._level is not self._main:
            self._ends_as = self._ends_as or end
            self._repair = None
            self._level.scheduler.stop()

    def _on_change(self) -> None:
        """Tell Temporal Web how far the run is, which costs no event, and mind its length."""
        main = self._main.scheduler
        running = [self._given.plan.steps[n].key for n in islice(main.running, _SHOWN)]
        more = len(main.running) - len(running)
        names = ", ".join(running) + (f" and {more} more" if more else "")
        ended = f"**{len(main.results)} of {len(self._given.plan.steps)} tasks have ended**"
        workflow.set_current_details(f"{ended}\n\nRunning: {names}" if names else ended)
        if self._watch is not None:
            self._watch.look(main)

    def _show(self, state: RunState) -> None:
        workflow.upsert_search_attributes([_STATE.value_set(state.value)])

    def _kept(self) -> Kept:
        """Return what the run has come to that is not kept yet."""
        memory = self._flow.memory
        kept = memory.kept() if memory else Kept()
        for place, result in self._main.results.items():
            if self._before.get(place) is not result:
                kept.results[self._given.plan.steps[place].key] = result
        kept.trails = self._flow.trails
        kept.tries = self._flow.highest_try
        kept.started_at = self._started_at.isoformat()
        return kept

    async def _write(self, kept: Kept, part: str | None = None) -> None:
        call = RecordCall(context=self._given.context, kept=kept, part=part or self._part())
        await workflow.execute_activity(
            RECORD, call, activity_id=f"{OWN}keep:{part or self._parts}", task_queue=ACTIVITY_QUEUE,
            start_to_close_timeout=KEEPING,
        )  # fmt: skip

    def _part(self) -> str:
        self._parts += 1
        return f"{self._parts:06}"


def _flow_of(given: JobInput) -> Flow:
    carried, kept = given.carried, given.kept
    flow = Flow(
        given.context,
        paused=carried.paused if carried else False,
        transitions=list(carried.transitions) if carried else [],
        left=carried.left if carried else half_done(kept),
        memory=Memory(kept) if given.keeps else None,
        first_try=kept.tries if kept else 0,
        prompt=given.plan.version >= PROMPT,
    )
    if carried is None:
        flow.trails.update(kept.trails if kept else {})
        return flow
    flow.tries.update(carried.tries)
    flow.rounds.update(carried.rounds)
    flow.held.update(carried.held)
    flow.trails.update(carried.trails)
    flow.answers.update(carried.answers)
    flow.orders, flow.undone = carried.orders, carried.undone
    return flow


def _first_start(kept: Kept | None) -> datetime | None:
    """Return when the run of a repair first began."""
    told = kept.started_at if kept else None
    return datetime.fromisoformat(told) if told else None


def _by_place(given: JobInput) -> dict[int, TaskResult]:
    if given.carried is None:
        return {}
    places = {step.key: number for number, step in enumerate(given.plan.steps)}
    return {places[key]: result for key, result in given.carried.results.items()}


def _scope(given: JobInput, started_at: datetime) -> Scope:
    run = {
        "id": given.context.run_id,
        "job": given.plan.job,
        "workspace": given.context.workspace_id,
        "start_time": started_at.isoformat(),
        "logical_time": given.logical_time or started_at.isoformat(),
        "state": RunState.RUNNING.value,
    }
    return Scope(context=given.context, parameters=given.parameters, run=run)
