"""The supervisor of the whole stack, as a process of its own."""

import signal
import socket
import subprocess
from pathlib import Path

import httpx
import psutil
import pytest

from local.stack.ports import choose
from racine.errors import Conflict
from tests.eventually import eventually
from tests.local.stack import ROOT, command, dev_stack

pytestmark = pytest.mark.timeout(300)


def test_it_starts_refuses_a_second_and_stops_clean(tmp_path: Path) -> None:
    with dev_stack(tmp_path / "state") as stack:
        assert httpx.get(f"{stack.running.api}/livez").status_code == 200
        assert httpx.get(stack.running.web).status_code == 200
        started = stack.descendants()
        assert len(started) >= 4
        second = subprocess.run(
            command("dev", "--state", tmp_path / "state"),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert second.returncode == 1
        assert f"process {stack.process.pid}" in second.stderr
        assert stack.running.api in second.stderr
        assert "--state DIR" in second.stderr
        stack.stop()
    assert _left(started) == []
    assert stack.state.running() is None
    assert "nothing is left running" in stack.output.read_text()
    assert (tmp_path / "state").stat().st_mode & 0o077 == 0


def test_a_part_that_crashes_is_started_again(tmp_path: Path) -> None:
    with dev_stack(tmp_path / "state") as stack:
        worker = stack.part(str(ROOT / "worker.py"), "workflows")
        worker.kill()
        eventually(lambda: not worker.is_running(), "the killed worker is gone")
        eventually(
            lambda: any("workflows" in p.cmdline() for p in stack.descendants()),
            "a new worker runs",
        )
    assert "workflows  | ended with -9; starting again in 0.5 s" in stack.output.read_text()


def test_a_killed_supervisor_leaves_nothing(tmp_path: Path) -> None:
    with dev_stack(tmp_path / "state") as stack:
        started = stack.descendants()
        stack.process.send_signal(signal.SIGKILL)
        stack.process.wait()
        assert _left(started) == []
    with dev_stack(tmp_path / "state") as again:
        assert again.process.pid != stack.process.pid


def test_fresh_never_empties_a_foreign_folder(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    told = subprocess.run(
        command("dev", "--fresh", "--state", tmp_path), capture_output=True, text=True, timeout=60
    )
    assert told.returncode == 2
    assert "will not be emptied" in told.stderr
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_taken_ports_are_passed_over_and_an_asked_for_one_refused() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Conflict, match=rf"Port {port} is in use"):
            choose(port)
    ports = choose(0)
    assert len({ports.api, ports.temporal, ports.web}) == 3


def _left(processes: list[psutil.Process]) -> list[psutil.Process]:
    return list(psutil.wait_procs(processes, timeout=60)[1])
