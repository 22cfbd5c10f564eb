"""Tasks that share a pool: one at a time, whatever is killed, paused or cancelled."""

import itertools
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.session import Database
from models.stores import pool_leases, pools, runs
from models.tables.pools import PoolLease
from models.tables.sources import Source
from services import controls, leases
from services.reconciler import Reconciler
from tests.temporal.conftest import Stack, run_workers
from tests.temporal.test_governance_run import make_shop

NOOP: dict[str, Any] = {"operation": "racine.noop", "input": {"value": 1}}


def task(key: str, *upstream: str, **more: Any) -> dict[str, Any]:
    edges = [{"task_key": up} for up in upstream]
    return {"task_key": key, "operation_task": NOOP, "depends_on": edges, **more}


def make_pool(stack: Stack, name: str = "warehouse", **limits: Any) -> None:
    with stack.db.write() as session:
        pools.put(session, "ws_1", name, **limits)


def hold(stack: Stack, run_id: str, name: str = "warehouse", slots: int = 1) -> None:
    """Take slots of a pool for a run that never asked for them."""
    with stack.db.write() as session:
        pool = pools.get(session, "ws_1", name)
        run = runs.get(session, run_id)
        claim = pool_leases.Claim(run_id, run.job_id, run.workflow_id, "held", 1, slots)
        lease, _ = pool_leases.acquire(session, pool, claim)
        pool_leases.mark_told(session, [lease.id])


def give_back(stack: Stack, run_id: str) -> None:
    with stack.db.write() as session:
        granted = pool_leases.release(session, run_id, "held", 1)
    stack.temporal.run(leases.tell(stack.db, stack.temporal.client, granted))


def held(db: Database) -> int:
    with db.read() as session:
        return session.scalar(select(func.count()).select_from(PoolLease)) or 0


def wait_for_queue(stack: Stack, run_id: str, length: int = 1) -> None:
    def look(session: Session) -> bool | None:
        waiting = [lease for lease, _ in pool_leases.of_run(session, run_id)]
        return sum(lease.state == pool_leases.WAITING for lease in waiting) == length or None

    stack.wait_for(look)


def order(stack: Stack, run_id: str, action: controls.Action, **arguments: Any) -> None:
    with stack.db.write() as session:
        made = controls.record(session, stack.actor, run_id, action, arguments)
    stack.temporal.run(controls.deliver(stack.db, stack.temporal.client, made))


@pytest.fixture
def holder(stack: Stack) -> str:
    """An open run that holds the only slot of the pool."""
    make_pool(stack, slots=1)
    ask: dict[str, Any] = {"task_key": "ask", "approval_task": {"self_approval": True}}
    run_id = stack.start(stack.save({"name": "holder", "tasks": [ask]}))
    hold(stack, run_id)
    return run_id


def test_tasks_of_one_pool_run_one_after_another(stack: Stack) -> None:
    make_pool(stack, slots=1)
    tasks = [task(f"t{n}", pool="warehouse") for n in range(8)]
    loop = {"inputs": list(range(130)), "concurrency": 50, "tasks": [task("c", pool="warehouse")]}
    tasks.append({"task_key": "each", "for_each_task": loop})
    run_id = stack.start(stack.save({"name": "shared", "tasks": tasks}))
    assert stack.result(run_id).state == "completed"
    assert held(stack.db) == 0
    # Never two between their start and their end, in the run's workflow and its loops'.
    spans = _spans(stack, run_id)
    assert len(spans) == 138
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(spans))


def _spans(stack: Stack, run_id: str) -> list[tuple[Any, Any]]:
    stack.events(run_id)
    with stack.db.read() as session:
        events = runs.events_after(session, run_id, 0, limit=10_000)
    begun = {e.task_key: e.at for e in events if e.kind == "started"}
    ended = {e.task_key: e.at for e in events if e.kind == "succeeded"}
    return sorted((begun[key], ended[key]) for key in begun if key != "each")


def test_a_waiting_task_starts_when_slots_are_given_back(stack: Stack, holder: str) -> None:
    job: dict[str, Any] = {"name": "waits", "tasks": [task("free"), task("a", pool="warehouse")]}
    run_id = stack.start(stack.save(job))
    wait_for_queue(stack, run_id)
    give_back(stack, holder)
    assert stack.result(run_id).state == "completed"
    found = stack.events(run_id)
    assert ("a", "queued") in found
    assert held(stack.db) == 0


def test_a_cancelled_run_leaves_the_line(stack: Stack, holder: str) -> None:
    run_id = stack.start(stack.save({"name": "waits", "tasks": [task("a", pool="warehouse")]}))
    wait_for_queue(stack, run_id)
    order(stack, run_id, controls.Action.CANCEL)
    stack.wait_for(lambda session: runs.get(session, run_id).state == "cancelled" or None)
    assert held(stack.db) == 1


def test_a_task_skipped_while_it_waits_leaves_the_line(stack: Stack, holder: str) -> None:
    job: dict[str, Any] = {"name": "waits", "tasks": [task("a", pool="warehouse"), task("b", "a")]}
    run_id = stack.start(stack.save(job))
    wait_for_queue(stack, run_id)
    order(stack, run_id, controls.Action.SKIP, task_key="a")
    assert stack.result(run_id).state == "completed"
    assert held(stack.db) == 1


def test_a_paused_run_holds_nothing(stack: Stack, holder: str) -> None:
    run_id = stack.start(stack.save({"name": "waits", "tasks": [task("a", pool="warehouse")]}))
    wait_for_queue(stack, run_id)
    order(stack, run_id, controls.Action.PAUSE)
    give_back(stack, holder)
    stack.wait_for(lambda session: _nothing_held(session) or None)
    order(stack, run_id, controls.Action.RESUME)
    assert stack.result(run_id).state == "completed"


def _nothing_held(session: Session) -> bool:
    return session.scalar(select(func.count()).select_from(PoolLease)) == 0


def test_a_terminated_run_leaks_no_slot(stack: Stack, holder: str) -> None:
    run_id = stack.start(stack.save({"name": "waits", "tasks": [task("a", pool="warehouse")]}))
    wait_for_queue(stack, run_id)
    with stack.db.read() as session:
        workflow_id = runs.get(session, holder).workflow_id
    stack.temporal.run(stack.temporal.client.get_workflow_handle(workflow_id).terminate())
    duty = leases.Duty(stack.db, stack.temporal.client)

    def done(session: Session) -> bool | None:
        stack.temporal.run(duty())
        return runs.get(session, run_id).state == "completed" or None

    stack.wait_for(done)
    assert held(stack.db) == 0


def test_a_grant_that_nobody_told_is_told_by_the_reconciler(stack: Stack, holder: str) -> None:
    run_id = stack.start(stack.save({"name": "waits", "tasks": [task("a", pool="warehouse")]}))
    wait_for_queue(stack, run_id)
    with stack.db.write() as session:
        # As an activity worker that is killed right after its commit leaves it.
        assert pool_leases.release(session, holder, "held", 1)
    db, client = stack.db, stack.temporal.client
    assert stack.temporal.run(Reconciler(db, client, also=[leases.Duty(db, client)]).round())
    assert stack.result(run_id).state == "completed"


def test_a_run_waits_for_its_pool_without_any_worker(idle_stack: Stack) -> None:
    make_pool(idle_stack, slots=1)
    ask: dict[str, Any] = {"task_key": "ask", "approval_task": {"self_approval": True}}
    holder = idle_stack.start(idle_stack.save({"name": "holder", "tasks": [ask]}))
    hold(idle_stack, holder)
    job: dict[str, Any] = {"name": "waits", "tasks": [task("a", pool="warehouse")]}
    with run_workers(idle_stack):
        run_id = idle_stack.start(idle_stack.save(job))
        wait_for_queue(idle_stack, run_id)
    give_back(idle_stack, holder)
    with run_workers(idle_stack):
        assert idle_stack.result(run_id).state == "completed"


def test_tokens_delay_what_begins(stack: Stack) -> None:
    make_pool(stack, tokens_per_second=2.0)
    job: dict[str, Any] = {
        "name": "paced",
        "tasks": [task(f"t{n}", pool="warehouse") for n in range(5)],
    }
    run_id = stack.start(stack.save(job))
    assert stack.result(run_id).state == "completed"
    starts = [start for start, _ in _spans(stack, run_id)]
    assert (starts[-1] - starts[0]).total_seconds() > 1.4


def test_a_source_s_own_limit_holds_for_what_opens_it(stack: Stack, tmp_path: Path) -> None:
    make_shop(tmp_path / "shop.db")
    register = {"name": "shop", "kind": "sqlite", "location": str(tmp_path / "shop.db")}
    first = {"task_key": "register", "operation_task": {
        "operation": "data_sources.register", "input": register}}  # fmt: skip
    job_id = stack.save({"name": "one_source", "tasks": [first]})
    source_id = stack.result(stack.start(job_id)) and _source(stack)
    make_pool(stack, f"source:{source_id}", slots=1)
    ask: dict[str, Any] = {"task_key": "ask", "approval_task": {"self_approval": True}}
    holder = stack.start(stack.save({"name": "holder", "tasks": [ask]}))
    hold(stack, holder, f"source:{source_id}")
    given = {"source_id": "{{ params.source }}"}
    test = {
        "task_key": "test",
        "operation_task": {"operation": "data_sources.test", "input": given},
    }
    query = {"task_key": "query", "sql_task": {"source": "shop", "statement": "SELECT 1 AS one"}}
    job: dict[str, Any] = {"name": "tests", "parameters": [{"name": "source"}], "tasks": [test]}
    run_id = stack.start(stack.save(job), source=source_id)
    wait_for_queue(stack, run_id)
    queried = stack.start(stack.save({"name": "queries", "tasks": [query]}))
    wait_for_queue(stack, queried)
    give_back(stack, holder)
    assert stack.result(run_id).state == "completed"
    assert stack.result(queried).state == "completed"
    assert held(stack.db) == 0


def _source(stack: Stack) -> str:
    with stack.db.read() as session:
        return session.scalars(select(Source.id)).one()
