"""The sandbox, replays of recorded histories, and runs that continue as new."""

import asyncio
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import WorkflowFailureError, WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, Worker
from temporalio.workflow import NondeterminismError

from activities.names import WORKFLOW_QUEUE
from models.messages import JobInput, LoopInput, RunResult, TaskOutput
from racine.definitions.document import TASK_KINDS
from racine.engine.plan import Plan
from services import controls
from tests.conftest import Temporal
from tests.eventually import eventually
from tests.temporal.conftest import Stack, run_workers
from tests.temporal.planted import ReadsTheClock
from tests.temporal.test_loops import failing
from tests.temporal.test_orders import asked, begin, order, until
from workflows.answers import Answers
from workflows.job import RacineJob
from workflows.loop import RacineLoop
from workflows.sandbox import Sandbox

FOLDER = Path(__file__).parent / "histories"
HISTORIES = sorted(FOLDER.glob("*.json"))


def test_the_sandbox_catches_a_clock(temporal: Temporal) -> None:
    queue = f"planted-{uuid.uuid4().hex}"

    async def play() -> None:
        async with Worker(
            temporal.client,
            task_queue=queue,
            workflows=[ReadsTheClock],
            workflow_runner=Sandbox(),
            workflow_failure_exception_types=[Exception],
        ):
            await temporal.client.execute_workflow(ReadsTheClock.run, id=queue, task_queue=queue)

    with pytest.raises(WorkflowFailureError) as caught:
        temporal.run(play())
    assert "datetime.datetime.now" in str(caught.value.cause)


def test_there_are_recorded_histories() -> None:
    assert {path.stem for path in HISTORIES} >= {"chain", "control", "failure", "governance_run"}


@pytest.mark.parametrize("kind", ["continued", "continued_loop", "carried", "carried_loop"])
def test_histories_that_continue_as_new_are_recorded_with_the_next(kind: str) -> None:
    first, second = (
        WorkflowHistory.from_json(kind, (FOLDER / f"{kind}_{number}.json").read_text()).events
        for number in (1, 2)
    )
    end = first[-1].workflow_execution_continued_as_new_event_attributes
    began = second[0].workflow_execution_started_event_attributes
    assert began.first_execution_run_id
    assert began.original_execution_run_id == end.new_execution_run_id
    names = [e.activity_task_scheduled_event_attributes.activity_id for e in (*first, *second)]
    moved = {move for move in ("carry", "fetch") if f"racine:{move}:0" in names}
    assert moved == ({"carry", "fetch"} if kind.startswith("carried") else set())


def test_every_kind_of_task_stands_in_a_recorded_history() -> None:
    kinds = set[str]()
    for path in HISTORIES:
        history = WorkflowHistory.from_json(path.stem, path.read_text())
        began = history.events[0].workflow_execution_started_event_attributes
        loop = began.workflow_type.name == "RacineLoop"
        (given,) = pydantic_data_converter.payload_converter.from_payloads(
            began.input.payloads, [LoopInput if loop else JobInput]
        )
        kinds |= set(_kinds(given.body if loop else given.plan))
    assert kinds == set(TASK_KINDS)


def _kinds(plan: Plan) -> Iterator[str]:
    for step in plan.steps:
        yield step.kind
        if step.body is not None:
            yield from _kinds(step.body)


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
def test_a_recorded_history_replays(path: Path) -> None:
    replay(WorkflowHistory.from_json(path.stem, path.read_text()))


def replay(history: WorkflowHistory) -> None:
    replayer = Replayer(
        workflows=[RacineJob, RacineLoop],
        data_converter=pydantic_data_converter,
        workflow_runner=Sandbox(),
        interceptors=[Answers()],
        debug_mode=True,  # the SDK's two seconds for an activation would judge the machine
    )
    asyncio.run(replayer.replay_workflow(history))


@workflow.defn(name="RacineJob")
class Changed:
    """An interpreter that gives its activities other ids."""

    @workflow.run
    async def run(self, given: JobInput) -> RunResult:
        for step in given.plan.steps:
            await workflow.execute_activity(
                step.spec["operation"],
                {},
                activity_id=f"{step.key}-changed",
                result_type=TaskOutput,
                schedule_to_close_timeout=timedelta(seconds=1),
            )
        return RunResult(state="completed")


def test_a_changed_interpreter_does_not_replay() -> None:
    path = next(path for path in HISTORIES if path.stem == "chain")
    history = WorkflowHistory.from_json(path.stem, path.read_text())
    replayer = Replayer(
        workflows=[Changed],
        data_converter=pydantic_data_converter,
        workflow_runner=UnsandboxedWorkflowRunner(),
        debug_mode=True,
    )
    with pytest.raises(NondeterminismError):
        asyncio.run(replayer.replay_workflow(history))


def test_a_worker_that_takes_a_run_over_hears_of_an_order_after_what_happened_before(
    idle_stack: Stack,
) -> None:
    """It is handed both in one turn, where the first worker had nothing to do about the failure."""
    tasks = [{"task_key": "ask", "approval_task": {"self_approval": True}}, failing("out", "true")]
    with run_workers(idle_stack):
        run_id, handle = begin(idle_stack, {"failure_policy": "HOLD", "tasks": tasks})
        idle_stack.ended(run_id, "out")
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(order, idle_stack, handle, "retry", task_key="out")
        with run_workers(idle_stack):
            assert answer.result(60) == {"state": "pending"}
            order(idle_stack, handle, "skip", task_key="out")
            order(idle_stack, handle, "approve", task_key="ask")
            assert idle_stack.result(run_id).state == "completed"
    replay(idle_stack.temporal.run(handle.fetch_history()))


def test_an_order_to_a_run_whose_workflow_fails_waits(idle_stack: Stack) -> None:
    with run_workers(idle_stack):
        tasks = [{"task_key": "ask", "approval_task": {"self_approval": True}}]
        run_id, _ = begin(idle_stack, {"tasks": tasks})
        until(idle_stack, run_id, asked)
    client = idle_stack.temporal.client
    broken = Worker(client, task_queue=WORKFLOW_QUEUE, workflows=[Changed],
                    workflow_runner=UnsandboxedWorkflowRunner())  # fmt: skip

    def approved() -> str:
        with idle_stack.db.write() as session:
            made = controls.record(session, idle_stack.actor, run_id, controls.Action.APPROVE,
                                   {"task_key": "ask"}, "req_1")  # fmt: skip
        return idle_stack.temporal.run(controls.deliver(idle_stack.db, client, made)).state

    idle_stack.temporal.run(broken.__aenter__())
    assert [approved(), approved()] == ["pending", "pending"]
    idle_stack.temporal.run(broken.__aexit__(None, None, None))
    with run_workers(idle_stack):
        eventually(lambda: approved() == "applied", "the run obeys", 60)
        assert idle_stack.result(run_id).state == "completed"


def test_a_long_run_continues_as_new_and_loses_nothing(impatient: Stack) -> None:
    count = 60
    tasks: list[dict[str, Any]] = [
        {
            "task_key": f"t{n}",
            "operation_task": {
                "operation": "racine.noop",
                "input": {"value": f"{{{{ tasks.t{n - 1}.values.value + 1 }}}}" if n else 1},
            },
            "depends_on": [{"task_key": f"t{n - 1}"}] if n else [],
        }
        for n in range(count)
    ]
    outputs = {"first": "{{ tasks.t0.values.value }}", "last": "{{ tasks.t59.values.value }}"}
    run_id = impatient.start(impatient.save({"name": "long", "tasks": tasks, "outputs": outputs}))
    assert impatient.result(run_id).outputs == {"first": 1, "last": count}
    done = [key for key, kind in impatient.events(run_id) if kind == "succeeded"]
    assert sorted(done) == sorted(f"t{n}" for n in range(count))
    handle = impatient.temporal.client.get_workflow_handle(f"long/{run_id}")
    last = impatient.temporal.run(handle.describe())
    assert last.raw_description.workflow_execution_info.first_run_id != last.run_id
    assert last.history_length < 200
