"""Times runs of no-op tasks in Airflow: LocalExecutor, four at once, SQLite, from queue to end."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

DAGS = """
from datetime import datetime
from airflow.sdk import dag, task

@task
def step(x):
    return x

def chain(count):
    value = 0
    for _ in range(count):
        value = step(value)

def fan_out(count):
    step.expand(x=list(range(count)))

def made(shape, count):
    @dag(dag_id=f"{shape.__name__}_{count}", schedule=None, start_date=datetime(2024, 1, 1),
         max_active_tasks=4, is_paused_upon_creation=False)
    def job():
        shape(count)
    return job()

for count in SIZES:
    for shape in (chain, fan_out):
        globals()[f"{shape.__name__}_{count}"] = made(shape, count)
"""
ENDS = ("success", "failed")
START_SECONDS, RUN_SECONDS = 180, 1200


def main(folder: Path, sizes: list[int], repeats: int) -> None:
    (folder / "dags").mkdir()
    (folder / "dags/jobs.py").write_text(DAGS.replace("SIZES", str(sizes)))
    os.environ |= {
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    airflow = str(Path(sys.executable).parent / "airflow")
    os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    log = (folder / "airflow.log").open("w")
    subprocess.run([airflow, "db", "migrate"], check=True, stdout=log, stderr=log)
    server = subprocess.Popen(
        [airflow, "standalone"], stdout=log, stderr=log, start_new_session=True
    )
    try:
        wanted = [f"{shape}_{size}" for size in sizes for shape in ("chain", "fan_out")]
        until(lambda: known(folder) >= set(wanted), "its jobs are known", START_SECONDS)
        trigger(airflow, folder, wanted[0], "warm_up", log)
        print(
            json.dumps(
                {
                    job: [trigger(airflow, folder, job, f"run_{n}", log) for n in range(repeats)]
                    for job in wanted
                }
            )
        )
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)


def trigger(airflow: str, folder: Path, job: str, run: str, log: TextIO) -> float:
    """Return the seconds from the moment the run was queued to its end."""
    subprocess.run([airflow, "dags", "trigger", "-r", run, job], check=True, stdout=log, stderr=log)
    query = (
        f"SELECT state, queued_at, end_date FROM dag_run WHERE dag_id='{job}' AND run_id='{run}'"
    )
    until(lambda: rows(folder, query)[0][0] in ENDS, f"{job} ends", RUN_SECONDS)
    state, queued, ended = rows(folder, query)[0]
    if state != "success":
        raise SystemExit(f"{job} is {state}")
    return (datetime.fromisoformat(ended) - datetime.fromisoformat(queued)).total_seconds()


def known(folder: Path) -> set[str]:
    return {row[0] for row in rows(folder, "SELECT dag_id FROM dag WHERE is_paused = 0")}


def rows(folder: Path, query: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(folder / "airflow.db", timeout=30) as db:
        return db.execute(query).fetchall()


def until(condition: Callable[[], bool], what: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.5)


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]), int(sys.argv[3]))
