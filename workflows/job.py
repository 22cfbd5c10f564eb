"""RacineJob: runs the plan of one job; every effect is an activity, every decision is here."""

import asyncio
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeKey
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.names import ACTIVITY_QUEUE, FINISH_RUN, OWN, RECORD
    from models.messages import (
        Carried,
        ControlCall,
        FinishCall,
        JobInput,
        KeptAnswer,
        Lease,
        RecordCall,
        RepairOrder,
        RunResult,
        Scope,
    )
    from models.temporal import STATE
    from racine.engine.kept import Kept
    from racine.engine.plan import PROMPT, SHOWS_AT_CLOSE, Plan, Step
    from racine.engine.policies import verdict
    from racine.engine.repair import outlook
    from racine.engine.states import UNDONE, RunState, TaskResult, TaskState
    from racine.errors import Conflict, RacineError
    from workflows.carrying import fetched, is_much, put_away
    from workflows.compensation import Compensation
    from workflows.conclusion import conclude, first_failure
    from workflows.flow import SIGNALS, Flow, stands_in
    from workflows.health import Watch
    from workflows.kinds.waits import unheard
    from workflows.memory import Memory, half_done, parts
    from workflows.orders import Ordered, not_now, refusal
    from workflows.people import Approval
    from workflows.steps import Level
    from workflows.waiting import settled

_STATE = SearchAttributeKey.for_keyword(STATE)
_FINISH_SECONDS = 60
_TOLD = 1000
"""Tasks that a repair names."""
_SHOWN = 5
"""Running tasks that Temporal Web names."""


@workflow.defn(name="RacineJob")
class RacineJob(Ordered):
    @workflow.init
    def __init__(self, given: JobInput) -> None:
        self._away = bool(given.carried_in)
        self._shown = workflow.info().typed_search_attributes.get(_STATE)
        """The state that Temporal has shown since the start."""
        self._take_up(given)

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
        paused = carried.paused if carried else False
        self._flow = Flow(
            given.context,
            paused=paused,
            transitions=list(carried.transitions) if carried else [],
            left=carried.left if carried else half_done(given.kept),
            memory=Memory(given.kept) if given.keeps else None,
            first_try=given.kept.tries if given.kept else 0,
            prompt=given.plan.version >= PROMPT,
        )
        self._flow.tries.update(carried.tries if carried else {})
        if carried is not None:
            self._flow.rounds.update(carried.rounds)
            self._flow.held.update(carried.held)
            self._flow.orders = carried.orders
            self._flow.answers.update(carried.answers)
            self._flow.undone = carried.undone
        self._flow.trails.update(carried.trails if carried else kept.trails if kept else {})
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

    @workflow.run
    async def run(self, given: JobInput) -> RunResult:
        if given.carried_in:
            given = await self._fetch(given)
        if given.carried is None and self._shown is None:
            self._show(RunState.RUNNING)
        if self._watch is not None:
            self._watch.begin(self._began_at)
        self._flow.tell_soon()
        try:
            await self._drive(self._main)
            state = self._ends_as or verdict(given.plan.steps, self._main.results)
            state = await self._afterwards(state)
            if self._watch is not None:
                await self._watch.close()
            self._closed = True
            result = await self._finish(state)
        except RacineError as fault:
            raise ApplicationError(fault.message, type=fault.code, non_retryable=True) from fault
        await workflow.wait_condition(workflow.all_handlers_finished)
        if given.plan.version >= SHOWS_AT_CLOSE:
            self._show(state)
        return conclude(result)

    @workflow.signal
    def granted(self, lease: Lease) -> None:
        """Hear that slots are held which a task waits for."""
        self._flow.granted(lease)

    @workflow.update
    async def pause(self, call: ControlCall) -> dict[str, Any]:
        """Start no further task until resume; those that run go on to their end."""
        self._show(RunState.PAUSED)
        await self._flow.pause()
        return {"state": RunState.PAUSED}

    @pause.validator
    def _may_pause(self, call: ControlCall) -> None:
        self._require_open("pause")
        if self._flow.paused:
            raise refusal("The run is paused already.")

    @workflow.update
    async def resume(self, call: ControlCall) -> dict[str, Any]:
        """Go on starting tasks."""
        self._show(RunState.RUNNING)
        await self._flow.resume()
        return {"state": RunState.RUNNING}

    @resume.validator
    def _may_resume(self, call: ControlCall) -> None:
        self._require_open("resume")
        if not self._flow.paused:
            raise refusal("The run is not paused.")

    @workflow.update
    def cancel(self, call: ControlCall) -> dict[str, Any]:
        """Cancel what runs, let it clean up, and end; again, or forced, end without waiting."""
        again = self._ends_as is not None
        self._stop(RunState.CANCELLED)
        if again or call.arguments.get("force"):
            self._forced.set_result(None)
        return {"state": RunState.CANCELLED}

    @cancel.validator
    def _may_cancel(self, call: ControlCall) -> None:
        if self._away:
            raise not_now()
        if self._closed or self._forced.done():
            raise refusal("The run is ending: there is nothing to cancel.")

    @workflow.update
    def change(self, call: ControlCall) -> dict[str, Any]:
        """Change the run's parameters, or one task's input, for tasks that have not begun."""
        self._log(call, "change", names=sorted(call.arguments.get("parameters", {})))
        if call.task_key is not None:
            level, number = self._place(call, "change")
            level.plan.steps[number] = self._changed(level, number, call)
            return {"state": TaskState.PENDING}
        given = {**self._given.parameters, **call.arguments["parameters"]}
        self._given = self._given.model_copy(update={"parameters": given})
        self._main.scope = self._main.scope.model_copy(update={"parameters": given})
        return {"state": RunState.RUNNING}

    @change.validator
    def _may_change(self, call: ControlCall) -> None:
        self._require_open("change")
        if call.task_key is None:
            self._require_unread(set(call.arguments["parameters"]))
            return
        level, number = self._place(call, "change")
        if number in level.results or number in level.scheduler.running:
            raise refusal(f"Task {call.task_key!r} has begun: its input stays as it is.")
        self._changed(level, number, call)

    @workflow.update(name="signal")
    def take_signal(self, call: ControlCall) -> dict[str, Any]:
        """Give a task what it waits for, or will: a signal that nobody has taken is kept."""
        name, payload = call.arguments["name"], call.arguments.get("payload")
        self._flow.signals.setdefault(name, []).append(payload)
        self._log(call, "signal", signal=name)
        return {"signal": name}

    @take_signal.validator
    def _may_signal(self, call: ControlCall) -> None:
        self._require_open("signal")
        if refused := unheard(self._given.plan, call.arguments):
            raise refusal(refused)

    def _require_unread(self, names: set[str]) -> None:
        """Refuse a change of parameters that a task which has begun reads."""
        level = self._main
        begun = {*level.results, *level.scheduler.running}
        readers = [step.key for number, step in enumerate(level.plan.steps)
                   if number in begun and names & set(step.params)]  # fmt: skip
        if readers:
            raise refusal(f"These tasks read them and have begun: {', '.join(readers)}.")

    def _changed(self, level: Level, number: int, call: ControlCall) -> Step:
        """Return a step that does what the order says, where the old one stands."""
        old, new = level.plan.steps[number], Step.model_validate(call.arguments["step"])
        if (old.key, old.kind) != (new.key, new.kind):
            raise refusal(f"Task {old.key!r} stays of its kind.")
        known = {step.key: place for place, step in enumerate(level.plan.steps)}
        missing = [key for key in call.arguments["reads"] if key not in known]
        if missing:
            raise refusal(f"It reads tasks that the run does not have: {', '.join(missing)}.")
        reads = [(known[key], fields) for key, fields in call.arguments["reads"].items()]
        kept = {"upstream": old.upstream, "downstream": old.downstream, "reads": sorted(reads)}
        return new.model_copy(update=kept)

    def _require_open(self, verb: str) -> None:
        if self._repair is not None or self._away:
            raise not_now()
        if self._closed or self._ends_as is not None:
            raise refusal(f"The run is ending: there is nothing to {verb}.")

    async def _drive(self, level: Level) -> None:
        """Run a level until it ends, is stopped, runs out of time or must continue as new."""
        self._level = level
        work = asyncio.create_task(level.run())
        seconds = self._seconds_left() if level is self._main else None
        if not await settled(work, seconds, self._on_cancel, self._forced):
            if not self._forced.done():
                self._stop(RunState.TIMED_OUT)
            await settled(work, None, self._on_cancel, self._forced)
        if not work.done():
            level.scheduler.abandon()
            return
        await work
        if self._repair is not None or not level.scheduler.complete:
            await self._continue(level)

    async def _continue(self, level: Level) -> None:
        """Continue as new, unless the run is told to end before all is written down."""
        flow = self._flow
        asked = flow.asking()
        for part in parts(self._kept()) if self._given.keeps else ():
            await self._write(part)
        await workflow.wait_condition(workflow.all_handlers_finished)
        if self._ends_as is not None and self._level is self._main and level is self._main:
            flow.approvals.clear()
            level.scheduler.abandon()
            return
        if self._watch is not None:
            await self._watch.close()
        carried = self._carry(asked)
        given = self._mended(carried) if self._repair else carried
        if is_much(given):
            # What is told meanwhile is for the next history.
            self._away = True
            given = await put_away(given, given.context)
        workflow.continue_as_new(given)

    async def _fetch(self, given: JobInput) -> JobInput:
        """Read what is carried from blobs, and go on with it."""
        given = await fetched(given, given.context)
        leases = self._flow.leases
        self._take_up(given)
        self._flow.leases.update(leases)
        self._away = False
        if given.cancelled:
            self._on_cancel()
        return given

    def _seconds_left(self) -> float | None:
        limit = self._given.plan.timeout_seconds
        if limit is None:
            return None
        return max(0.0, limit - (workflow.now() - self._began_at).total_seconds())

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

    def _carry(self, asked: dict[str, Approval]) -> JobInput:
        left = self._flow.leaving()
        for place, question in asked.items():
            left[place].state["question"] = asdict(question)
        carried = Carried(
            started_at=self._started_at,
            results=self._main.still_read(),
            paused=self._flow.paused,
            transitions=self._flow.take(),
            tries=self._flow.begun_again(),
            left=left,
            ends_as=self._ends_as,
            rounds=self._flow.rounds,
            orders=self._flow.orders,
            answers=self._flow.answers,
            held=self._flow.held,
            parts=self._parts,
            began_at=self._began_at,
            breaches=self._watch.told if self._watch else [],
            trails=self._flow.trails,
            undone=self._flow.undone,
        )
        memory = self._flow.memory
        kept = memory.kept() if memory else None
        if kept is not None:
            kept.tries = self._flow.first_try
        return self._given.model_copy(update={"carried": carried, "kept": kept})

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
            start_to_close_timeout=timedelta(seconds=_FINISH_SECONDS),
        )  # fmt: skip

    def _part(self) -> str:
        self._parts += 1
        return f"{self._parts:06}"

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
                start_to_close_timeout=timedelta(seconds=_FINISH_SECONDS),
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

    @workflow.update
    def repair(self, call: ControlCall) -> dict[str, Any]:
        """Run again what failed or was chosen, once what runs now has ended; keep the rest."""
        self._log(call, "repair")
        order = RepairOrder.model_validate(call.arguments)
        told = self._outlook(order)
        self._repair = order
        self._flow.drain()
        return told

    @repair.validator
    def _may_repair(self, call: ControlCall) -> None:
        self._require_open("repair")
        if self._level is not self._main:
            raise refusal("The run's own tasks have ended: repair it after its end.")
        try:
            self._outlook(RepairOrder.model_validate(call.arguments))
        except RacineError as fault:
            faults = "; ".join(found.message for found in fault.faults)
            raise refusal(f"{fault.message} {faults}".strip()) from fault

    @workflow.query
    def outlook(self, order: RepairOrder) -> dict[str, Any]:
        """Tell what a repair would do now."""
        return self._outlook(order)

    def _outlook(self, order: RepairOrder) -> dict[str, Any]:
        plan = order.plan or self._given.plan
        level, kinds = self._main, {step.key: step.kind for step in plan.steps}
        for number in level.scheduler.running:
            step = level.plan.steps[number]
            if kinds.get(step.key) != step.kind:
                raise Conflict(f"Task {step.key!r} runs, and is not in that version as it is.")
        found = outlook(plan, self._all_kept(), order.tasks, dependents=order.dependents)
        asked = {path for path in found.anew if path in self._flow.approvals}
        again = [vars(task) for task in found.again
                 if task.was or "[" in task.path or task.path in asked]  # fmt: skip
        if not again:
            raise Conflict("Nothing failed.", next_step="Name the tasks that shall run again.")
        return {
            "again": again[:_TOLD],
            "kept": [vars(task) for task in found.stays][:_TOLD],
        }

    def _all_kept(self) -> Kept:
        """Return how all tasks ended that have, at every level."""
        kept = self._flow.memory.kept() if self._flow.memory else Kept()
        kept.trails = self._flow.trails
        for prefix, level in self._flow.levels.items():
            for number, result in level.results.items():
                kept.results[prefix + level.plan.steps[number].key] = result
        for number, result in self._main.results.items():
            kept.results[self._main.plan.steps[number].key] = result
        for place, left in self._flow.left.items():
            prefix = place.removeprefix("|")
            kept.results.update({prefix + key: r for key, r in left.results.items() if prefix})
        return kept

    def _mended(self, carry: JobInput) -> JobInput:
        """Return what the run goes on with after a repair."""
        order, carried = self._repair, carry.carried
        assert order is not None
        assert carried is not None
        plan = order.plan or carry.plan
        found = outlook(plan, self._all_kept(), order.tasks, dependents=order.dependents)
        paths = [task.path for task in found.again]
        entered = tuple(
            loop for loop in map("{}[".format, found.left.loops)
            if any(path.startswith(loop) for path in paths)
        )  # fmt: skip
        left = {place: held for place, held in carried.left.items()
                if not (place.endswith(":course") and place.startswith(entered))
                and not any(stands_in(place, path) for path in found.anew)}  # fmt: skip
        inside = {path: result for path, result in found.left.results.items() if "." in path}
        kept = found.left.model_copy(update={"results": inside, "tries": self._flow.highest_try})
        levels = {place for place in left if place.startswith("|") and place != SIGNALS}
        state = carried.model_copy(
            update={
                "results": {p: r for p, r in found.left.results.items() if "." not in p},
                "left": {p: h for p, h in left.items() if p not in levels} | half_done(kept),
                "tries": {},
                "trails": kept.trails,
            }
        )
        given = {**carry.parameters, **order.parameters}
        more = {"plan": plan, "carried": state, "kept": kept, "parameters": given}
        return carry.model_copy(update=more)

    @workflow.query
    def kept(self) -> KeptAnswer:
        """Tell what a repair would keep: of runs that could not write it down themselves."""
        return KeptAnswer(kept=self._kept())

    def _show(self, state: RunState) -> None:
        workflow.upsert_search_attributes([_STATE.value_set(state.value)])


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
