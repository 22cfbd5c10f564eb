"""RacineScheduledRun: what a schedule starts; records the run, then runs the job as its child."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import SearchAttributeKey
from temporalio.exceptions import ApplicationError
from temporalio.workflow import ParentClosePolicy

with workflow.unsafe.imports_passed_through():
    from activities.names import ACTIVITY_QUEUE, OWN, RECORD_SCHEDULED_RUN, WORKFLOW_QUEUE
    from models.messages import RunResult, ScheduledFiring, ScheduledLaunch, ScheduledStart
    from racine.engine.states import RunState
    from workflows.job import RacineJob

_MEANT_FOR = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")


@workflow.defn(name="RacineScheduledRun")
class RacineScheduledRun:
    def __init__(self) -> None:
        self._told: str | None = None
        """What became of a run that had to wait its turn."""

    @workflow.signal
    def turn(self, state: str) -> None:
        """Hear that the run may begin, or that it ended before it could."""
        self._told = state

    @workflow.run
    async def run(self, given: ScheduledStart) -> RunResult:
        info = workflow.info()
        firing = ScheduledFiring(
            schedule_id=given.schedule_id,
            # With the execution: two that come in one second have the same workflow id.
            fired_by=f"{info.workflow_id}/{info.first_execution_run_id}",
            scheduled_for=info.typed_search_attributes.get(_MEANT_FOR) or info.start_time,
        )
        launch = await workflow.execute_activity(
            RECORD_SCHEDULED_RUN,
            firing,
            activity_id=f"{OWN}record",
            task_queue=ACTIVITY_QUEUE,
            result_type=ScheduledLaunch,
            start_to_close_timeout=timedelta(seconds=30),
        )
        if launch.queued:
            await workflow.wait_condition(lambda: self._told is not None)
            if self._told != RunState.SCHEDULED:
                message = f"The run left the queue as {self._told}."
                raise ApplicationError(message, type="not_begun", non_retryable=True)
        # Whoever ends the firing means the run: an overlap policy knows only the firing.
        return await workflow.execute_child_workflow(
            RacineJob.run,
            launch.input,
            id=launch.workflow_id,
            task_queue=WORKFLOW_QUEUE,
            parent_close_policy=ParentClosePolicy.TERMINATE,
            static_summary=launch.summary,
        )
