"""The processes that a benchmark measures: Temporal, both kinds of workers and the API."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from models.schema import upgrade
from models.session import Database
from tools.temporal.binary import temporal_binary
from tools.temporal.dev_server import SETTINGS

ROOT = Path(__file__).resolve().parent.parent
PASSWORD = "benchmark-horse-battery"


@dataclass
class Processes:
    """What runs, by name."""

    temporal: str
    api: str
    running: dict[str, psutil.Process] = field(default_factory=dict)

    def cpu_seconds(self, *names: str) -> float:
        times = [self.running[name].cpu_times() for name in names]
        return sum(t.user + t.system for t in times)

    def resident_megabytes(self) -> dict[str, int]:
        return {name: p.memory_info().rss >> 20 for name, p in self.running.items()}


@contextmanager
def processes(folder: Path) -> Iterator[Processes]:
    """Start everything on free ports over a SQLite database in the folder; stop it at the end."""
    temporal, api = (f"127.0.0.1:{_free_port()}" for _ in range(2))
    database = Database(f"sqlite:///{folder}/racine.db")
    upgrade(database)
    database.close()
    environment = os.environ | {
        "RACINE_DATABASE_URL": f"sqlite:///{folder}/racine.db",
        "RACINE_DATA_DIR": str(folder),
        "RACINE_TEMPORAL_ADDRESS": temporal,
        "RACINE_ADMIN_PASSWORD": PASSWORD,
        "PYTHONPATH": str(ROOT),
    }
    host, _, port = temporal.partition(":")
    python = sys.executable
    uvicorn = [python, "-m", "uvicorn", "--factory", "api.app:create_app", "--no-access-log"]
    commands = {
        "temporal": [
            str(temporal_binary()), "server", "start-dev", "--headless", "--ip", host,
            "--port", port, "--db-filename", str(folder / "temporal.db"), *SETTINGS,
        ],
        "workflows": [python, "worker.py", "workflows"],
        "activities": [python, "worker.py", "activities"],
        "api": [*uvicorn, "--host", "127.0.0.1", "--port", api.partition(":")[2]],
        "plain workflows": [python, "-m", "bench.handwritten", "workflows", temporal],
        "plain activities": [python, "-m", "bench.handwritten", "activities", temporal],
    }  # fmt: skip
    with ExitStack() as stack:
        found = Processes(temporal, f"http://{api}")
        for name, command in commands.items():
            log = stack.enter_context(open(folder / f"{name.replace(' ', '_')}.log", "wb"))
            process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT
            )
            stack.callback(_stop, process)
            found.running[name] = psutil.Process(process.pid)
            if name == "temporal":
                _until(lambda: _listens(temporal), name)
        _until(lambda: _answers(found.api), "api")
        yield found


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()


def _until(condition: Callable[[], bool], name: str) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{name} did not start within 60 s")
        time.sleep(0.1)


def _listens(address: str) -> bool:
    host, _, port = address.partition(":")
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, int(port))) == 0


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/openapi.json", timeout=5, trust_env=False).is_success
    except httpx.TransportError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
