"""Many runs that wait for a person at once; `bench.scale` measures ten thousand of them."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from bench.engine import signed_in
from bench.processes import Processes
from bench.scale import approvals
from tests.chaos.parts import parts
from tests.eventually import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]
__all__ = ["parts"]

_RUNS = 1_000
_SERVER_MEGABYTES = 1_536


def test_a_thousand_runs_wait_and_are_approved_none_lost_and_none_twice(
    parts: Processes, tmp_path: Path
) -> None:
    async def play() -> dict[str, Any]:
        async with signed_in(parts) as bench:
            return await approvals(bench, _RUNS)

    found = asyncio.run(play())
    assert found["approved_runs_completed"] == _RUNS
    assert found["resident_megabytes_open"]["temporal"] < _SERVER_MEGABYTES
    ends = "SELECT count(*), count(DISTINCT run_id) FROM run_events WHERE kind = '{}'"
    # The log's last batches land after the runs' ends.
    eventually(lambda: _row(tmp_path, ends.format("succeeded"))[0] >= _RUNS, "all is told")
    assert _row(tmp_path, ends.format("succeeded")) == (_RUNS, _RUNS)
    assert _row(tmp_path, ends.format("run_completed")) == (_RUNS, _RUNS)


def _row(folder: Path, query: str) -> tuple[int, ...]:
    engine = create_engine(f"sqlite:///{folder}/racine.db")
    with engine.connect() as connection:
        found = connection.execute(text(query)).one()
    engine.dispose()
    return tuple(found)
