"""The processes that a benchmark measures: Temporal, both kinds of workers and the API."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from local.stack.process import dies_with_parent
from models.schema import upgrade
from models.session import Database
from tools.temporal.binary import temporal_binary
from tools.temporal.dev_server import SETTINGS

ROOT = Path(__file__).resolve().parent.parent
PASSWORD = "benchmark-horse-battery"
_START_SECONDS = 180


@dataclass
class Processes:
    """What runs, by name; each can be killed and started again."""

    temporal: str
    api: str
    folder: Path
    commands: dict[str, list[str]]
    environment: dict[str, str]
    running: dict[str, psutil.Process] = field(default_factory=dict)
    _started: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def start(self, name: str) -> None:
        """Start a part that does not run, and return when it answers."""
        with open(self.folder / f"{name.replace(' ', '_')}.log", "ab") as log:
            process = subprocess.Popen(
                self.commands[name], cwd=ROOT, env=self.environment, stdout=log,
                stderr=subprocess.STDOUT, preexec_fn=dies_with_parent(),
            )  # fmt: skip
        self._started[name] = process
        self.running[name] = psutil.Process(process.pid)
        if name == "temporal":
            _until(lambda: _listens(self.temporal), name)
        if name == "api":
            _until(lambda: _answers(self.api), name)

    def kill(self, name: str) -> None:
        """End a part at once, as `kill -9` does."""
        process = self._started.pop(name)
        process.kill()
        process.wait()
        del self.running[name]

    def stop(self) -> None:
        for process in reversed(self._started.values()):
            _stop(process)

    def cpu_seconds(self, *names: str) -> float:
        times = [self.running[name].cpu_times() for name in names]
        return sum(t.user + t.system for t in times)

    def resident_megabytes(self) -> dict[str, int]:
        return {name: p.memory_info().rss >> 20 for name, p in self.running.items()}


@contextmanager
def processes(folder: Path, *, plain: bool = True) -> Iterator[Processes]:
    """Start everything on free ports over a SQLite database in the folder; stop it at the end.

    `plain` adds the workers of the hand-written workflow.
    """
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
    # As on a user's machine: without bytecode, each run would compile its workflow's module anew.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    commands = _commands(folder, temporal, api) | (_plain_commands(temporal) if plain else {})
    parts = Processes(temporal, f"http://{api}", folder, commands, environment)
    try:
        for name in commands:
            parts.start(name)
        yield parts
    finally:
        parts.stop()


def _commands(folder: Path, temporal: str, api: str) -> dict[str, list[str]]:
    host, _, port = temporal.partition(":")
    python = sys.executable
    uvicorn = [python, "-m", "uvicorn", "--factory", "api.app:create_app", "--no-access-log"]
    return {
        "temporal": [
            str(temporal_binary()), "server", "start-dev", "--headless", "--ip", host,
            "--port", port, "--db-filename", str(folder / "temporal.db"), *SETTINGS,
        ],
        "workflows": [python, "worker.py", "workflows"],
        "activities": [python, "worker.py", "activities"],
        "api": [*uvicorn, "--host", "127.0.0.1", "--port", api.partition(":")[2]],
    }  # fmt: skip


def _plain_commands(temporal: str) -> dict[str, list[str]]:
    by_hand = [sys.executable, "-m", "bench.handwritten"]
    return {f"plain {role}": [*by_hand, role, temporal] for role in ("workflows", "activities")}


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()


def _until(condition: Callable[[], bool], name: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{name} did not start within {_START_SECONDS} s")
        time.sleep(0.1)


def _listens(address: str) -> bool:
    host, _, port = address.partition(":")
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, int(port))) == 0


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/livez", timeout=5, trust_env=False).is_success
    except httpx.TransportError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
