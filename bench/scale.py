"""How far the engine goes: `python -m bench.scale`; the last line is JSON.

Large graphs, many runs that wait for approval and are then all approved, and many short runs
against the hand-written workflow of the same three steps, turn by turn on the same server. Every
run is asked for by HTTP and counted at its end: a lost one is an error, not a figure.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

from bench.engine import Bench, signed_in
from bench.processes import Processes, processes

CLIENTS = 16
"""Requests under way at once."""
STEPS = 3
TURN = 500
"""Short runs of one kind before it is the other's turn."""
LISTS = 100
FLOORS = {
    "graph_1000_seconds": 15,
    "short_runs_ratio": 0.6,
    "starts_per_second": 30,
    "list_p95_ms": 500,
}
_PATIENCE_SECONDS = 1800
_LOOK_SECONDS = 0.5
"""Between two looks for open runs: each costs the API what a start does, and no run needs it."""
_RUNS = "/api/racine/workflows"


def layered(tasks: int, edges: int) -> dict[str, Any]:
    """Return a job of layers of 50 tasks, each task after several of the layer before it."""
    width, each = 50, edges // (tasks - 50)
    noop = {"operation": "racine.noop", "input": {"value": 1}}
    made: list[dict[str, Any]] = []
    for n in range(tasks):
        layer, place = divmod(n, width)
        before = [(layer - 1) * width + (place + k) % width for k in range(each)] if layer else []
        made.append(
            {
                "task_key": f"t{n}",
                "operation_task": noop,
                "depends_on": [{"task_key": f"t{m}"} for m in before],
            }
        )
    return {"name": f"layered_{tasks}", "tasks": made}


def asking() -> dict[str, Any]:
    approval = {"prompt": "Go on?", "self_approval": True}
    return {"name": "asking", "tasks": [{"task_key": "ask", "approval_task": approval}]}


async def graphs(bench: Bench) -> dict[str, Any]:
    found = {}
    for tasks, edges in ((1_000, 5_000), (10_000, 20_000)):
        saved = await bench.api.post(_RUNS, json={"document": layered(tasks, edges)}, timeout=120)
        cost = await bench.racine(saved.raise_for_status().json()["id"])
        found[f"graph_{tasks}_seconds"] = round(cost.wall, 2)
        print(f"layered graph of {tasks}: {cost.wall:.1f} s", flush=True)
    return found


async def approvals(bench: Bench, count: int) -> dict[str, Any]:
    """Open runs, look at lists among them, approve them all, and see that none was lost."""
    saved = await bench.api.post(_RUNS, json={"document": asking()})
    job_id = saved.raise_for_status().json()["id"]
    ids: list[str] = []

    async def start(_: int) -> None:
        answer = await bench.api.post(f"{_RUNS}/{job_id}/execute", json={})
        ids.append(answer.raise_for_status().json()["id"])

    starting = await _timed(_many(start, range(count)))
    open_ = await _listing(bench, job_id)
    memory = bench.parts.resident_megabytes()

    async def approve(run_id: str) -> None:
        body = {"action": "approve", "task_key": "ask", "request_id": f"go-{run_id}"}
        while True:
            answer = await bench.api.post(f"{_RUNS}/executions/{run_id}/control", json=body)
            # Its workflow may not have begun yet; the same order under the same id is safe.
            if answer.status_code == 409 and "asks for no approval" in answer.text:
                body["request_id"] += "+"
                await asyncio.sleep(0.5)
                continue
            answer.raise_for_status()
            return

    approving = await _timed(_many(approve, ids))
    await _until_ended(bench, job_id)
    ended = await _require_completed(bench, job_id, count)
    return {
        "open_runs": count,
        "starts_per_second": round(count / starting, 1),
        "list_p95_ms": open_,
        "approvals_per_second": round(count / approving, 1),
        "approved_runs_completed": ended,
        "resident_megabytes_open": memory,
    }


async def short_runs(bench: Bench, count: int) -> dict[str, Any]:
    """Return rates in runs a second, ours and the hand-written workflow's, and their ratio."""
    job_id = await bench.save("chain", STEPS)
    ours = theirs = 0.0
    done = 0
    while done < count:
        turn = min(TURN, count - done)
        done += turn
        theirs += await _timed(_many(lambda _: bench.plain("chain", STEPS), range(turn), turn))
        ours += await _timed(_our_turn(bench, job_id, turn))
        await _require_completed(bench, job_id, done)
        print(f"{done} short runs: {done / ours:.1f}/s, by hand {done / theirs:.1f}/s", flush=True)
    return {
        "short_runs": count,
        "short_runs_per_second": round(count / ours, 1),
        "plain_runs_per_second": round(count / theirs, 1),
        "short_runs_ratio": round(theirs / ours, 2),
    }


async def _our_turn(bench: Bench, job_id: str, turn: int) -> None:
    async def start(_: int) -> None:
        (await bench.api.post(f"{_RUNS}/{job_id}/execute", json={})).raise_for_status()

    await _many(start, range(turn))
    await _until_ended(bench, job_id)


async def _until_ended(bench: Bench, job_id: str) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while await _open(bench, job_id):
        if time.monotonic() > deadline:
            raise RuntimeError("runs are still open")
        await asyncio.sleep(_LOOK_SECONDS)


async def _require_completed(bench: Bench, job_id: str, count: int) -> int:
    """Return how many runs of the job have completed; one that did not is an error."""
    ended = await _count(bench, job_id, "completed")
    if ended != count:
        raise RuntimeError(f"{ended} runs completed of {count}")
    return ended


async def _open(bench: Bench, job_id: str) -> bool:
    for state in ("running", "scheduled"):
        page = await bench.api.get(f"{_RUNS}/{job_id}/executions?state={state}&limit=1")
        if page.raise_for_status().json()["items"]:
            return True
    return False


async def _count(bench: Bench, job_id: str, state: str) -> int:
    count, params = 0, {"state": state, "limit": "200"}
    while True:
        page = await bench.api.get(f"{_RUNS}/{job_id}/executions", params=params)
        found = page.raise_for_status().json()
        count += len(found["items"])
        if found["next_cursor"] is None:
            return count
        params["cursor"] = found["next_cursor"]


async def _listing(bench: Bench, job_id: str) -> float:
    """Return the 95th percentile of milliseconds for a page of the open runs."""
    taken = []
    for _ in range(LISTS):
        path = f"{_RUNS}/{job_id}/executions?state=running&limit=50"
        taken.append(await _timed(bench.api.get(path)) * 1000)
    return round(statistics.quantiles(taken, n=20)[-1], 1)


async def _timed(work: Awaitable[Any]) -> float:
    began = time.perf_counter()
    await work
    return time.perf_counter() - began


async def _many(
    work: Callable[[Any], Awaitable[Any]], given: Iterable[Any], at_once: int = CLIENTS
) -> None:
    waiting = iter(given)

    async def client() -> None:
        for one in waiting:
            await work(one)

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(client())


async def measure(parts: Processes, open_runs: int, runs: int) -> dict[str, Any]:
    async with signed_in(parts) as bench:
        figures: dict[str, Any] = {"bench": "scale"}
        figures |= await graphs(bench)
        figures |= await approvals(bench, open_runs)
        print({name: figures[name] for name in ("starts_per_second", "approvals_per_second")})
        figures |= await short_runs(bench, runs)
        figures["resident_megabytes"] = parts.resident_megabytes()
    return figures | {"floors": FLOORS}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--open", type=int, default=10_000, help="runs that wait for approval")
    parser.add_argument("--runs", type=int, default=10_000, help="runs of three steps")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, processes(Path(folder)) as parts:
        figures = asyncio.run(measure(parts, given.open, given.runs))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
