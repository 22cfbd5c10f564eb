"""RacineJob: runs the plan of one job; every effect is an activity, every decision is here."""

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from models.messages import JobInput, Lease, RunResult
    from racine.engine.plan import SHOWS_AT_CLOSE
    from racine.engine.policies import verdict
    from racine.engine.states import RunState
    from racine.errors import RacineError
    from workflows.conclusion import conclude
    from workflows.ending import Ending
    from workflows.run_orders import RunOrders


@workflow.defn(name="RacineJob")
class RacineJob(RunOrders, Ending):
    @workflow.init
    def __init__(self, given: JobInput) -> None:
        self._away = bool(given.carried_in)
        self._take_up(given)

    @workflow.run
    async def run(self, given: JobInput) -> RunResult:
        if given.carried_in:
            given = await self._fetch(given)
        if given.carried is None and not self._is_shown():
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
