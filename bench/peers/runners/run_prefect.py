"""Times runs of no-op tasks of a Prefect deployment: server, runner, from its call to its end."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

FLOWS = """
import sys
from prefect import flow, serve, task
from prefect.task_runners import ThreadPoolTaskRunner

@task
def step(x):
    return x

@flow
def chain(count: int):
    value = 0
    for _ in range(count):
        value = step(value)

@flow(task_runner=ThreadPoolTaskRunner(max_workers=4))
def fan_out(count: int):
    step.map(list(range(count))).wait()

if __name__ == "__main__":
    serve(chain.to_deployment("bench"), fan_out.to_deployment("bench"))
"""
START_SECONDS, RUN_SECONDS = 120, 600
PORT = 42_987


def main(folder: Path, sizes: list[int], repeats: int) -> None:
    (folder / "flows.py").write_text(FLOWS)
    os.environ |= {
        "PREFECT_HOME": str(folder),
        "PREFECT_API_URL": f"http://127.0.0.1:{PORT}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_RUNNER_POLL_FREQUENCY": "1",  # of ten seconds by default: its best, not its worst
        "PREFECT_LOGGING_LEVEL": "ERROR",
    }
    log = (folder / "prefect.log").open("w")
    prefect = str(Path(sys.executable).parent / "prefect")
    commands = (
        [prefect, "server", "start", "--port", str(PORT)],
        [sys.executable, str(folder / "flows.py")],
    )
    started: list[subprocess.Popen[bytes]] = []
    try:
        for command in commands:
            started.append(subprocess.Popen(command, stdout=log, stderr=log, cwd=folder))
            wait_for_health()
        print(json.dumps(measured(sizes, repeats)))
    finally:
        for process in reversed(started):
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


def measured(sizes: list[int], repeats: int) -> dict[str, list[float]]:
    wait_for_deployments()
    run("chain", 1)
    return {
        f"{shape}_{size}": [run(shape, size) for _ in range(repeats)]
        for size in sizes
        for shape in ("chain", "fan_out")
    }


def run(shape: str, count: int) -> float:
    """Return the seconds from the call of the deployment until its run has ended."""
    from prefect.deployments import run_deployment

    began = time.perf_counter()
    made = run_deployment(
        f"{shape.replace('_', '-')}/bench", parameters={"count": count},
        timeout=RUN_SECONDS, poll_interval=0.05,
    )  # fmt: skip
    taken = time.perf_counter() - began
    if made.state is None or not made.state.is_completed():
        raise SystemExit(f"{shape} of {count} is {made.state}")
    return taken


def wait_for_deployments() -> None:
    from prefect.client.orchestration import get_client

    deadline = time.monotonic() + START_SECONDS
    with get_client(sync_client=True) as client:
        while len(client.read_deployments()) < 2:
            if time.monotonic() > deadline:
                raise SystemExit("its deployments are not served")
            time.sleep(0.5)


def wait_for_health() -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{PORT}/api/health", timeout=5)
            return
        except OSError:
            time.sleep(0.5)
    raise SystemExit("its server does not answer")


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]), int(sys.argv[3]))
