"""`racine runs bulk` as a process of its own, against a real server."""

import json
from pathlib import Path

import pytest

from racine.client import Client
from tests.racine.cli.test_cli import HELLO, racine, server

__all__ = ["server"]

ASKING = "name: asking\ntasks:\n- {task_key: ask, approval_task: {}}\n"


@pytest.mark.usefixtures("workers")
def test_all_runs_of_a_job_are_shown_and_cancelled(tmp_path: Path, server: dict[str, str]) -> None:
    (tmp_path / "asking.yaml").write_text(ASKING)
    for file in (str(tmp_path / "asking.yaml"), HELLO):
        assert racine("apply", file, **server).returncode == 0
    with Client(server["RACINE_URL"], server["RACINE_API_KEY"]) as client:
        runs = [client.run("asking") for _ in range(3)]
        done = client.run("hello")
        assert client.wait(done, timeout=60)["state"] == "completed"
        shown = racine("runs", "bulk", "cancel", "--job", "asking", "--dry-run", **server)
        assert shown.stdout.endswith("cancel would reach 3 runs\n"), shown.stderr
        unasked = racine("runs", "bulk", "cancel", "--job", "asking", given="y\n", **server)
        assert (unasked.returncode, "--yes does it" in unasked.stderr) == (2, True)
        assert {client.run_detail(run)["state"] for run in runs} <= {"scheduled", "running"}
        yes = ("--reason", "a bad release", "--yes")
        told = racine("runs", "bulk", "cancel", "--job", "asking", *yes, **server)
        assert (told.returncode, "3 of 3 told" in told.stderr) == (0, True), told.stderr
        assert {client.wait(run, timeout=60)["state"] for run in runs} == {"cancelled"}
    refused = racine("runs", "bulk", "repair", "--state", "completed", "-y", "-o", "json", **server)
    assert refused.returncode == 1
    assert [(r["run_id"], r["state"]) for r in json.loads(refused.stdout)] == [(done, "refused")]
    listed = racine("runs", "list", "--trigger", "manual", "--since", "2001-01-01", **server).stdout
    assert [run in listed for run in (*runs, done)] == [True] * 4
    assert "run_" not in racine("runs", "list", "--until", "2001-01-01", **server).stdout
    late = racine("runs", "bulk", "pause", "--since", "2199-01-01", "--yes", **server)
    assert (late.returncode, late.stdout) == (0, "pause: no run fits\n")
    single = racine("runs", "bulk", "approve", "--yes", **server)
    assert (single.returncode, "Only a single run" in single.stderr) == (1, True)
