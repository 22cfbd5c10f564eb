"""RacineLoop: a stretch of a large loop's iterations, in a workflow and history of its own."""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.names import ACTIVITY_QUEUE, OWN, RECORD
    from models.messages import CarriedLoop, Lease, LoopInput, RecordCall, Tally
    from racine.engine.kept import Kept, Trace, stretches
    from racine.engine.plan import PROMPT
    from racine.engine.scheduler import end
    from racine.errors import RacineError
    from workflows.carrying import fetched, is_much, put_away
    from workflows.compensation import shorten
    from workflows.flow import Flow
    from workflows.loops import INLINE_RESULTS, LOOP, iterate, load, packed
    from workflows.memory import LoopMemory, Memory, half_done
    from workflows.orders import Ordered, not_now, refusal
    from workflows.steps import Level
    from workflows.waiting import settled


@workflow.defn(name=LOOP)
class RacineLoop(Ordered):
    @workflow.init
    def __init__(self, given: LoopInput) -> None:
        self._away = bool(given.carried_in)
        self._closed = False
        self._take_up(given)

    def _take_up(self, given: LoopInput) -> None:
        """Begin, or go on with what an earlier history of the stretch left."""
        self._given = given
        carried = given.carried or CarriedLoop()
        left = carried.left if given.carried else half_done(given.kept)
        self._flow = Flow(
            given.scope.context,
            paused=given.paused,
            transitions=list(carried.transitions),
            left=left,
            memory=self._memory(given) if given.keeps else None,
            first_try=given.kept.tries if given.kept else 0,
            prompt=given.body.version >= PROMPT,
        )
        self._flow.tries.update(carried.tries)
        self._flow.held.update(carried.held)
        self._flow.orders = carried.orders
        self._flow.answers.update(carried.answers)
        self._flow.trails.update(carried.trails)

    def _memory(self, given: LoopInput) -> Memory:
        memory = Memory(given.kept)
        memory.loops.setdefault(given.scope.prefix, LoopMemory(given.count, {}))
        return memory

    @workflow.run
    async def run(self, given: LoopInput) -> Tally:
        if given.carried_in:
            given = await self._fetch(given)
        self._flow.tell_soon()
        try:
            items = await load(given)
            work = asyncio.create_task(iterate(self._flow, given, items, Level))
            if given.cancelled:
                end(work)
            await settled(work, None, lambda: end(work))
            if work.cancelled():
                await self._write()
                if (undo := await self._undo()) is not None:
                    # What succeeded before is to be undone: the run has to know of it.
                    return Tally(undo=undo)
            tally = await work
            if tally is None:
                await workflow.wait_condition(workflow.all_handlers_finished)
                workflow.continue_as_new(await self._next())
            tally = await packed(given, tally)
            tally = tally.model_copy(update={"undo": await self._undo() or []})
        except RacineError as fault:
            raise ApplicationError(fault.message, type=fault.code, non_retryable=True) from fault
        self._closed = True
        await self._write()
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._whole(tally)

    async def _fetch(self, given: LoopInput) -> LoopInput:
        """Read what is carried from blobs, and go on with it."""
        given = await fetched(given, given.scope.context)
        # Signals have come to the flow that stood in.
        given = given.model_copy(update={"paused": self._flow.paused})
        self._take_up(given)
        self._away = False
        return given

    async def _next(self) -> LoopInput:
        """Return what the next history goes on with."""
        given = self._carry()
        self._away = True
        if is_much(given):
            given = await put_away(given, given.scope.context)
        return given.model_copy(update={"paused": self._flow.paused})

    def _require_open(self, verb: str) -> None:
        if self._away:
            raise not_now()
        if self._closed:
            raise refusal(f"The iterations have ended: there is nothing to {verb}.")

    async def _write(self) -> None:
        """Write down what no activity has taken along, and what a repair wants to know."""
        given, left = self._given, self._flow.take()
        kept = self._kept()
        if not left and kept is None:
            return
        part = f"{given.scope.prefix}[{given.start}]"
        call = RecordCall(context=given.scope.context, transitions=left, kept=kept, part=part)
        writing = asyncio.ensure_future(
            workflow.execute_activity(
                RECORD, call, activity_id=f"{OWN}record", task_queue=ACTIVITY_QUEUE,
                start_to_close_timeout=timedelta(seconds=60),
            )
        )  # fmt: skip
        await settled(writing, None, lambda: None)
        await writing

    async def _undo(self) -> list[Trace] | None:
        """Return what can be undone of the iterations, None where that is nothing."""
        path, context = self._given.scope.prefix, self._given.scope.context
        if path not in self._flow.trails:
            return None
        writing = asyncio.ensure_future(shorten(self._flow, context, path, INLINE_RESULTS))
        await settled(writing, None, lambda: None)
        await writing
        return self._flow.trails[path].traces

    def _kept(self) -> Kept | None:
        """Return what is known beside the tally: of iterations that did not succeed."""
        memory, given = self._flow.memory, self._given
        if memory is None:
            return None
        kept = memory.kept()
        done = len(memory.loops[given.scope.prefix].done)
        return kept if kept.results or done < given.count else None

    def _whole(self, tally: Tally) -> Tally:
        memory = self._flow.memory
        if memory is None:
            return tally
        done = stretches(memory.loops[self._given.scope.prefix].done)
        more = {"done": done, "tries": self._flow.highest_try, "kept": memory.little(self._given)}
        return tally.model_copy(update=more)

    @workflow.signal
    def granted(self, lease: Lease) -> None:
        self._flow.granted(lease)

    @workflow.signal
    async def pause(self) -> None:
        await self._flow.pause()

    @workflow.signal
    async def resume(self) -> None:
        await self._flow.resume()

    def _carry(self) -> LoopInput:
        flow = self._flow
        carried = CarriedLoop(
            transitions=flow.take(),
            tries=flow.begun_again(),
            left=flow.leaving(),
            held=flow.held,
            orders=flow.orders,
            answers=flow.answers,
            trails=flow.trails,
        )
        kept = flow.memory.kept() if flow.memory else None
        if kept is not None:
            kept.tries = flow.first_try
        more = {"carried": carried, "kept": kept, "cancelled": False}
        return self._given.model_copy(update=more)
