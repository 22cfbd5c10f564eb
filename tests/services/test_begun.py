"""What a process has started is noted in the index, however many at once."""

import asyncio
from datetime import UTC, datetime

from models.session import Database
from models.stores import runs
from services.begun import Begun
from tests.models.stores.test_runs import make_run

MANY = [f"run_{n}" for n in range(20)]


def test_each_of_many_starts_is_noted_when_its_own_call_returns(db: Database) -> None:
    with db.write() as session:
        for run_id in (*MANY, "run_not_begun"):
            make_run(session, run_id)
    before = datetime.now(UTC)

    async def serve() -> None:
        begun = Begun(db)

        async def start(run_id: str) -> None:
            await begun.note(run_id)
            with db.read() as session:
                assert runs.state_of(session, run_id) == "running"

        await asyncio.gather(*map(start, MANY), begun.note("run_gone"))

    asyncio.run(serve())
    with db.read() as session:
        found = [runs.get(session, run_id) for run_id in MANY]
        assert runs.state_of(session, "run_not_begun") == "scheduled"
    assert all(run.started_at and run.started_at >= before for run in found)
