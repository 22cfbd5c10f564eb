"""Slots and tokens of a pool: who gets them, and when, on both engines."""

import itertools
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from models.session import Database
from models.stores import pool_leases, pools
from models.stores.pool_leases import HELD, WAITING, Claim
from models.tables.pools import PoolLease
from racine.errors import InvalidInput
from tests.models.stores.test_runs import make_run


@pytest.fixture
def runs_of(db: Database) -> list[str]:
    """Two runs in a workspace with a pool of three slots."""
    with db.write() as session:
        for run_id in ("run_1", "run_2"):
            make_run(session, run_id)
        pools.put(session, "ws_1", "warehouse", slots=3)
    return ["run_1", "run_2"]


def ask(db: Database, key: str, *, run_id: str = "run_1", **values: Any) -> PoolLease:
    claim: dict[str, Any] = {"job_id": "job_1", "workflow_id": f"w/{run_id}", "try_number": 1}
    with db.write() as session:
        pool = pools.get(session, "ws_1", "warehouse")
        made = Claim(run_id=run_id, task_key=key, **(claim | values))
        return pool_leases.acquire(session, pool, made)[0]


def give_back(db: Database, key: str, run_id: str = "run_1") -> list[str]:
    """Release what a task holds; return the keys of the tasks whose turn that makes it."""
    with db.write() as session:
        granted = pool_leases.release(session, run_id, key, 1)
        return [session.get_one(PoolLease, g.lease_id).task_key for g in granted]


def limit(db: Database, **limits: Any) -> None:
    with db.write() as session:
        pools.put(session, "ws_1", "warehouse", **limits)


@pytest.mark.usefixtures("runs_of")
def test_slots_are_weighted_and_asked_for_once(db: Database) -> None:
    assert ask(db, "a", slots=2).state == HELD
    assert ask(db, "b").state == HELD
    waiting = ask(db, "c")
    assert waiting.state == WAITING
    assert ask(db, "c").id == waiting.id
    assert give_back(db, "a") == ["c"]
    assert give_back(db, "a") == []
    with pytest.raises(InvalidInput, match="asks for 4 slots"):
        ask(db, "d", slots=4)


@pytest.mark.usefixtures("runs_of")
def test_nobody_passes_a_large_request(db: Database) -> None:
    for key in ("a", "b"):
        ask(db, key)
    large, small = ask(db, "large", slots=3), ask(db, "small")
    # One slot is free, and the small one would fit.
    assert (large.state, small.state) == (WAITING, WAITING)
    with db.read() as session:
        assert [pool_leases.position(session, lease) for lease in (large, small)] == [1, 2]
    assert give_back(db, "a") == []
    assert give_back(db, "b") == ["large"]
    assert give_back(db, "large") == ["small"]


@pytest.mark.usefixtures("runs_of")
def test_priority_comes_first_then_jobs_take_turns(db: Database) -> None:
    limit(db, slots=1)
    ask(db, "holder", job_id="job_0")
    for key in ("a1", "a2", "a3"):
        ask(db, key, job_id="job_a")
    ask(db, "b1", job_id="job_b")
    ask(db, "urgent", job_id="job_a", priority=1)
    order, holder = [], "holder"
    for _ in range(5):
        (holder,) = give_back(db, holder)
        order.append(holder)
    assert order == ["urgent", "a1", "b1", "a2", "a3"]


@pytest.mark.usefixtures("runs_of")
def test_tokens_space_out_what_begins(db: Database) -> None:
    limit(db, slots=None, tokens_per_second=0.5)
    starts = [ask(db, f"t{n}").starts_at for n in range(3)]
    moments = [start for start in starts if start is not None]
    assert len(moments) == 3
    assert all(b - a > timedelta(seconds=1.99) for a, b in itertools.pairwise(moments))


@pytest.mark.usefixtures("runs_of")
def test_a_second_s_tokens_can_be_saved_up(db: Database) -> None:
    limit(db, slots=None, tokens_per_second=0.5)
    ask(db, "a")
    limit(db, tokens_per_second=100.0)
    later = datetime.now(UTC) + timedelta(seconds=0.9)
    limit(db, next_token_at=later)
    lease = ask(db, "b")
    assert lease.starts_at is not None
    assert lease.starts_at <= max(later - timedelta(seconds=0.9), datetime.now(UTC))


@pytest.mark.usefixtures("runs_of")
def test_tokens_are_not_given_away_far_ahead(db: Database) -> None:
    limit(db, slots=None, tokens_per_second=0.1)
    assert [ask(db, key).state for key in ("a", "b")] == [HELD, WAITING]
    with db.write() as session:
        pool = pools.get(session, "ws_1", "warehouse")
        assert pool_leases.grant(session, pool) == []
        pool.next_token_at = datetime.now(UTC) + timedelta(seconds=1)
        session.flush()
        assert len(pool_leases.grant(session, pool)) == 1


@pytest.mark.usefixtures("runs_of")
def test_what_no_longer_fits_a_smaller_pool_stops_nobody(db: Database) -> None:
    ask(db, "a", slots=3)
    ask(db, "large", slots=3)
    ask(db, "small")
    limit(db, slots=2)
    assert give_back(db, "a") == ["small"]


def test_runs_and_executions_that_end_give_all_back(db: Database, runs_of: list[str]) -> None:
    first, second = runs_of
    ask(db, "a", slots=2, run_id=first)
    ask(db, "b", run_id=first, workflow_id="w/child")
    ask(db, "c", slots=3, run_id=second)
    with db.write() as session:
        assert pool_leases.executions_after(session, "", 10) == ["w/child", "w/run_1", "w/run_2"]
        assert pool_leases.release_execution(session, "w/child") == []
        (granted,) = pool_leases.release_run(session, first)
        assert granted.workflow_id == "w/run_2"
        assert [lease.lease_id for lease in pool_leases.untold(session)] == [granted.lease_id]
        pool_leases.mark_told(session, [granted.lease_id])
        assert pool_leases.untold(session) == []


@pytest.mark.usefixtures("runs_of")
def test_no_two_at_once_take_more_than_there_is(db: Database) -> None:
    most: list[int] = []

    def work(thread: int) -> None:
        for n in range(10):
            held = [f"t{thread}_{n}"] if ask(db, f"t{thread}_{n}").state == HELD else []
            while held:
                with db.read() as session:
                    in_use = select(func.sum(PoolLease.slots)).where(PoolLease.state == HELD)
                    most.append(session.scalar(in_use) or 0)
                held = held[1:] + give_back(db, held[0])

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with db.read() as session:
        assert session.scalar(select(func.count()).select_from(PoolLease)) == 0
    assert max(most) <= 3
