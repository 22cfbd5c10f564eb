"""RacineLoop: a stretch of a large loop's iterations, in a workflow and history of its own."""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.names import ACTIVITY_QUEUE, OWN, RECORD
    from models.messages import CarriedLoop, Lease, LoopInput, RecordCall, Tally
    from racine.engine.scheduler import end
    from racine.errors import RacineError
    from workflows.flow import Flow
    from workflows.loops import LOOP, iterate, load
    from workflows.steps import Level
    from workflows.waiting import settled


@workflow.defn(name=LOOP)
class RacineLoop:
    @workflow.init
    def __init__(self, given: LoopInput) -> None:
        self._given = given
        carried = given.carried or CarriedLoop()
        self._flow = Flow(
            paused=given.paused, transitions=list(carried.transitions), left=carried.left
        )
        self._flow.tries.update(carried.tries)

    @workflow.run
    async def run(self, given: LoopInput) -> Tally:
        try:
            items = await load(given)
            work = asyncio.create_task(iterate(self._flow, given, items, Level))
            await settled(work, None, lambda: end(work))
            tally = await work
            if tally is None:
                workflow.continue_as_new(self._carry())
        except RacineError as fault:
            raise ApplicationError(fault.message, type=fault.code, non_retryable=True) from fault
        left = self._flow.take()
        if left:
            call = RecordCall(context=given.scope.context, transitions=left)
            await workflow.execute_activity(
                RECORD, call, activity_id=f"{OWN}record", task_queue=ACTIVITY_QUEUE,
                start_to_close_timeout=timedelta(seconds=60),
            )  # fmt: skip
        return tally

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
        carried = CarriedLoop(transitions=flow.take(), tries=flow.begun_again(), left=flow.left)
        return self._given.model_copy(update={"carried": carried, "paused": flow.paused})
