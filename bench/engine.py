"""What the interpreter costs over a hand-written workflow: `python -m bench.engine`.

Chains and fan-outs of no-op operations, from POST until the API says the run has ended, against
`bench.handwritten` on the same server in the same run, each with a workflow worker and an activity
worker in processes of their own. The two take turns; the figures are medians of the ratios. The
fixed cost is that of a one-task run less the hand-written one-task workflow. Either client asks
once and is answered at the end.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from bench.handwritten import WORKFLOWS
from bench.processes import PASSWORD, Processes, processes
from racine.ids import new_id
from services.bootstrap import ADMIN_EMAIL

_WAIT_SECONDS = 20
_ENDS = ("completed", "failed", "cancelled", "terminated", "timed_out")
_OURS, _THEIRS = ("workflows", "activities"), ("plain workflows", "plain activities")


@dataclass(frozen=True)
class Cost:
    wall: float
    cpu: float
    """Processor seconds of the two workers."""


@dataclass
class Bench:
    parts: Processes
    client: Client
    api: httpx.AsyncClient

    async def racine(self, job_id: str) -> Cost:
        """Run a job by HTTP and wait for its end as a client would."""
        before, began = self.parts.cpu_seconds(*_OURS), time.perf_counter()
        started = await self.api.post(f"/api/racine/workflows/{job_id}/execute", json={})
        started.raise_for_status()
        run_id = started.json()["id"]
        while True:
            path = f"/api/racine/workflows/executions/{run_id}/status"
            answer = await self.api.get(path, params={"wait": _WAIT_SECONDS})
            state = answer.raise_for_status().json()["state"]
            if state in _ENDS:
                break
        wall = time.perf_counter() - began
        if state != "completed":
            raise RuntimeError(f"the run is {state}: {answer.text}")
        return Cost(wall, self.parts.cpu_seconds(*_OURS) - before)

    async def plain(self, shape: str, count: int) -> Cost:
        before, began = self.parts.cpu_seconds(*_THEIRS), time.perf_counter()
        await self.client.execute_workflow(
            "Plain", args=[shape, count], id=new_id("plain"), task_queue=WORKFLOWS
        )
        wall = time.perf_counter() - began
        return Cost(wall, self.parts.cpu_seconds(*_THEIRS) - before)

    async def save(self, shape: str, count: int) -> str:
        document = job(shape, count)
        answer = await self.api.post("/api/racine/workflows", json={"document": document})
        return str(answer.raise_for_status().json()["id"])

    async def compare(self, shape: str, count: int, repeats: int) -> dict[str, float]:
        """Return walls in seconds, their ratio, and processor milliseconds a step."""
        job_id = await self.save(shape, count)
        await self.racine(job_id)
        await self.plain(shape, count)
        pairs = [await self._pair(job_id, shape, count, n % 2 == 0) for n in range(repeats)]
        return {
            "racine_seconds": _median([ours.wall for ours, _ in pairs]),
            "plain_seconds": _median([theirs.wall for _, theirs in pairs]),
            "ratio": _median([ours.wall / theirs.wall for ours, theirs in pairs]),
            "racine_cpu_ms_per_step": _median([o.cpu * 1000 / count for o, _ in pairs]),
            "plain_cpu_ms_per_step": _median([t.cpu * 1000 / count for _, t in pairs]),
        }

    async def _pair(self, job_id: str, shape: str, count: int, first: bool) -> tuple[Cost, Cost]:
        """Measure ours and theirs; who goes first takes turns, as each leaves work behind."""
        if first:
            return await self.racine(job_id), await self.plain(shape, count)
        theirs = await self.plain(shape, count)
        return await self.racine(job_id), theirs


def job(shape: str, count: int) -> dict[str, Any]:
    """Return a job of no-op operations in a row or side by side."""
    noop = {"operation": "racine.noop", "input": {"value": 1}}
    tasks: list[dict[str, Any]] = [
        {"task_key": f"t{n}", "operation_task": noop} for n in range(count)
    ]
    if shape == "chain":
        for n in range(1, count):
            tasks[n]["depends_on"] = [{"task_key": f"t{n - 1}"}]
    return {"name": f"{shape}_{count}", "tasks": tasks}


def _median(values: list[float]) -> float:
    return round(statistics.median(values), 4)


@asynccontextmanager
async def signed_in(parts: Processes) -> AsyncIterator[Bench]:
    """Give a bench whose client is the administrator."""
    client = await Client.connect(parts.temporal, data_converter=pydantic_data_converter)
    async with httpx.AsyncClient(base_url=parts.api, trust_env=False, timeout=60) as api:
        credentials = {"email": ADMIN_EMAIL, "password": PASSWORD}
        answer = await api.post("/api/auth/login", json=credentials)
        token = answer.raise_for_status().json()["access_token"]
        api.headers["Authorization"] = f"Bearer {token}"
        # A token lasts a quarter of an hour, a bench can take longer.
        wanted = {"name": "bench", "permissions": ["*:*"]}
        answer = await api.post("/api/auth/keys", json=wanted)
        api.headers["Authorization"] = f"Bearer {answer.raise_for_status().json()['key']}"
        yield Bench(parts, client, api)


async def measure(parts: Processes, sizes: list[int], repeats: int) -> dict[str, Any]:
    async with signed_in(parts) as bench:
        one = await bench.compare("chain", 1, 15)
        fixed = (one["racine_seconds"] - one["plain_seconds"]) * 1000
        print(f"fixed cost of a run: {fixed:.0f} ms", flush=True)
        figures: dict[str, Any] = {"fixed_ms": round(fixed, 1)}
        for shape in ("chain", "fan_out"):
            for size in sizes:
                found = await bench.compare(shape, size, repeats)
                figures[f"{shape}_{size}"] = found
                print(f"{shape} of {size}: {found}", flush=True)
        figures["resident_megabytes"] = parts.resident_megabytes()
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--repeats", type=int, default=6)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, processes(Path(folder)) as parts:
        figures = asyncio.run(measure(parts, given.sizes, given.repeats))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
