"""Followers of a run wake when something is written in it, on both engines."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import create_engine, text

from models.schema import upgrade
from models.session import Database
from models.stores import runs
from racine.engine.states import RunState
from services.access import system
from services.follow import Follower
from services.hub import Hub
from tests.models.stores.test_runs import make_run


@asynccontextmanager
async def opened(db: Database) -> AsyncIterator[Hub]:
    hub = Hub(db)
    try:
        yield hub
    finally:
        await asyncio.to_thread(hub.close)


def write(db: Database, run_id: str, n: int) -> None:
    with db.write() as session:
        runs.add_events(session, [{"run_id": run_id, "n": n, "kind": "log", "task_key": "a"}])


async def _listens(hub: Hub) -> None:
    deadline = time.monotonic() + 60
    while hub._listener is None or not hub._listener.listening:
        assert time.monotonic() < deadline, "it never listened"
        await asyncio.sleep(0.02)


def test_what_is_written_reaches_its_followers_in_order(db: Database) -> None:
    with db.write() as session:
        make_run(session, "run_1")
        make_run(session, "run_2")

    async def story() -> list[int]:
        async with opened(db) as hub:
            seen: list[int] = []
            follower = Follower(db, system("ws_1"), "run_1", hub)
            async for event in follower.events(0):
                seen.append(event.n)
                if len(seen) == 5:
                    break
            return seen

    async def both() -> list[int]:
        reading = asyncio.create_task(story())
        for n in range(5):
            await asyncio.to_thread(write, db, "run_2", n)
            await asyncio.to_thread(write, db, "run_1", n)
        return await asyncio.wait_for(reading, 30)

    assert asyncio.run(both()) == [0, 1, 2, 3, 4]


def test_postgresql_wakes_those_who_follow_that_run_alone(postgres_db: Database) -> None:
    with postgres_db.write() as session:
        make_run(session, "run_1")

    async def story() -> tuple[bool, bool]:
        async with opened(postgres_db) as hub:
            await _listens(hub)
            with hub.following("run_1") as mine, hub.following("run_2") as other:
                await asyncio.to_thread(write, postgres_db, "run_1", 0)
                await asyncio.wait_for(mine.wait(), 20)
                return mine.is_set(), other.is_set()

    assert asyncio.run(story()) == (True, False)


def test_a_broken_connection_is_made_anew(postgres_db: Database) -> None:
    with postgres_db.write() as session:
        make_run(session, "run_1")

    async def story() -> bool:
        async with opened(postgres_db) as hub:
            await _listens(hub)
            await asyncio.to_thread(_break_connections, postgres_db)
            with hub.following("run_1") as mine:
                for n in range(200):
                    await asyncio.to_thread(write, postgres_db, "run_1", n)
                    await hub.wait(mine)
                    if mine.is_set():
                        return True
        return False

    assert asyncio.run(story())


def _break_connections(db: Database) -> None:
    engine = create_engine(db.url)
    with engine.connect() as connection:
        connection.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                 "WHERE pid <> pg_backend_pid() AND datname = current_database()")
        )  # fmt: skip
    engine.dispose()


@pytest.fixture
def postgres_db(postgres_db_url: str) -> Iterator[Database]:
    database = Database(postgres_db_url)
    upgrade(database)
    yield database
    database.close()


def test_sqlite_wakes_followers_when_another_connection_writes(sqlite_db: Database) -> None:
    with sqlite_db.write() as session:
        make_run(session, "run_1")

    async def story() -> bool:
        async with opened(sqlite_db) as hub:
            with hub.following("run_1") as mine:
                await asyncio.wait_for(mine.wait(), 20)
                mine.clear()
                await asyncio.to_thread(write, sqlite_db, "run_1", 0)
                await asyncio.wait_for(mine.wait(), 20)
                return mine.is_set()

    assert asyncio.run(story())


def test_a_run_is_waited_for_until_its_end(db: Database) -> None:
    with db.write() as session:
        make_run(session, "run_1")

    def finish() -> None:
        with db.write() as session:
            runs.finish(session, "run_1", RunState.COMPLETED, {}, None)

    async def story() -> bool:
        async with opened(db) as hub:
            follower = Follower(db, system("ws_1"), "run_1", hub)
            await follower.until_ended(0.01)
            waiting = asyncio.create_task(follower.until_ended(600))
            await asyncio.sleep(0)
            early = waiting.done()
            await asyncio.to_thread(finish)
            await asyncio.wait_for(waiting, 60)
            return early

    assert asyncio.run(story()) is False
