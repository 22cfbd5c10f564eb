"""Runs `racine dev` as its users do: as a process of its own over a state folder."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from local.stack.state import Running, StateFolder
from tests.eventually import eventually

ROOT = Path(__file__).resolve().parent.parent.parent


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, str(ROOT / "server.py"), *map(str, arguments)]


@dataclass
class DevStack:
    process: subprocess.Popen[str]
    state: StateFolder
    output: Path

    @property
    def running(self) -> Running:
        running = self.state.running()
        assert running is not None
        return running

    def wait_until_ready(self) -> None:
        def ready() -> bool:
            assert self.process.poll() is None, self.output.read_text()
            return self.state.running() is not None

        eventually(ready, "the stack is ready", 120)

    def descendants(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def part(self, *words: str) -> psutil.Process:
        """Return the one process below the supervisor whose command holds all the words."""
        (found,) = [p for p in self.descendants() if set(words) <= set(p.cmdline())]
        return found

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(40) == 0, self.output.read_text()


@contextmanager
def dev_stack(folder: Path) -> Iterator[DevStack]:
    """Run a stack on free ports; it is ready when the block begins, and gone when it ends."""
    output = folder.with_suffix(".out")
    with output.open("a") as out:
        process = subprocess.Popen(
            command("dev", "--state", folder, "--port", "0"),
            stdout=out,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"COLUMNS": "200"},
        )
    stack = DevStack(process, StateFolder(folder), output)
    try:
        stack.wait_until_ready()
        yield stack
        if process.poll() is None:
            stack.stop()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
