"""Runs of no-op tasks in Racine and in other orchestrators: `python -m bench.peers`.

Chains and fan-outs of 20 and 100 tasks on this machine in this run, one tool after the other, each
in an environment of its own: Airflow with its LocalExecutor, a Prefect deployment with server and
runner, Dagster with its multiprocess executor, four tasks at once. The seconds are medians from a
run's order to its end; the first run of each tool is dropped. The last line is JSON.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from bench.engine import signed_in
from bench.environments import interpreter
from bench.processes import Processes, processes

HERE = Path(__file__).parent
SHAPES = ("chain", "fan_out")
PEERS = ("prefect", "airflow", "dagster")
FLOORS = {"airflow": 20.0, "dagster": 20.0, "prefect": 1.0}
"""How many times faster than each Racine is to be."""
_PEER_SECONDS = 3600

Seconds = dict[str, list[float]]


def ask_peer(name: str, sizes: list[int], repeats: int) -> Seconds:
    """Return the seconds of a peer's runs by shape and size.

    Raises:
        subprocess.SubprocessError: it could not be installed, or a run of it failed.
    """
    python = interpreter(HERE / "locks" / f"{name}.txt")
    with tempfile.TemporaryDirectory(prefix=f"racine-bench-{name}-") as folder:
        told = subprocess.run(
            [python, HERE / "runners" / f"run_{name}.py", folder, json.dumps(sizes), str(repeats)],
            check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            timeout=_PEER_SECONDS,
        )  # fmt: skip
    found: Seconds = json.loads(told.stdout.splitlines()[-1])
    return found


def ask_racine(sizes: list[int], repeats: int) -> Seconds:
    with tempfile.TemporaryDirectory() as folder, processes(Path(folder)) as parts:
        return asyncio.run(_racine(parts, sizes, repeats))


async def _racine(parts: Processes, sizes: list[int], repeats: int) -> Seconds:
    async with signed_in(parts) as bench:
        taken: Seconds = {}
        await bench.racine(await bench.save("chain", 1))
        for size in sizes:
            for shape in SHAPES:
                job_id = await bench.save(shape, size)
                runs = [await bench.racine(job_id) for _ in range(repeats)]
                taken[f"{shape}_{size}"] = [run.wall for run in runs]
        return taken


def compared(racine: Seconds, peers: dict[str, Seconds]) -> dict[str, Any]:
    """Return medians by tool, and how many times longer each peer took than Racine."""
    medians = {
        tool: {job: round(statistics.median(runs), 3) for job, runs in seconds.items()}
        for tool, seconds in {"racine": racine, **peers}.items()
    }
    ratios = {
        peer: {job: round(medians[peer][job] / medians["racine"][job], 1) for job in racine}
        for peer in peers
    }
    met = {peer: min(ratios[peer].values()) >= FLOORS[peer] for peer in peers}
    return {"bench": "peers", "seconds": medians, "times_racine": ratios, "floor_met": met}


def table(figures: dict[str, Any]) -> str:
    """Return the seconds as a Markdown table, one row a tool."""
    jobs = list(figures["seconds"]["racine"])
    heads = [job.replace("_", " ") for job in jobs]
    rows = [
        [tool, *(f"{seconds[job]:.2f}" for job in jobs)]
        for tool, seconds in figures["seconds"].items()
    ]
    lines = [["tool", *heads], ["---"] * (len(jobs) + 1), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=PEERS, nargs="+", default=PEERS)
    parser.add_argument("--sizes", type=int, choices=(20, 100), nargs="+", default=[20, 100])
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    racine = ask_racine(given.sizes, given.repeats)
    print(f"racine: {racine}", flush=True)
    peers: dict[str, Seconds] = {}
    for name in given.only:
        peers[name] = ask_peer(name, given.sizes, given.repeats)
        print(f"{name}: {peers[name]}", flush=True)
    figures = compared(racine, peers)
    print(table(figures))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
