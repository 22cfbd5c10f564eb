"""Runs `racine dev` beneath the demo, over the state folder that the demo leaves behind."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.stack.process import dies_with_parent
from local.stack.state import Running, StateFolder
from racine.errors import Unavailable

_SERVER = Path(__file__).resolve().parent.parent.parent / "server.py"
_START_SECONDS = 600
"""The first start may have to build Temporal's binary."""
_STOP_SECONDS = 40


@contextmanager
def running_stack(state: StateFolder) -> Iterator[Running]:
    """Start the stack on a fresh state folder; yield where it answers; stop it at the end.

    Raises Unavailable, with its last words, when it does not come up.
    """
    with (state.root / "demo.out").open("w+") as out:
        process = subprocess.Popen(
            [sys.executable, str(_SERVER), "dev", "--state", str(state.root)],
            stdout=out,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=dies_with_parent(),
        )
        try:
            yield _ready(process, state, Path(out.name))
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _ready(process: subprocess.Popen[bytes], state: StateFolder, output: Path) -> Running:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        running = state.running()
        if running is not None and running.pid == process.pid:
            return running
        if process.poll() is not None or time.monotonic() > deadline:
            said = "\n".join(output.read_text(errors="replace").splitlines()[-12:])
            raise Unavailable(f"The stack did not come up. Its last words:\n{said}\n")
        time.sleep(0.05)
