"""Runs that are chosen in part, signalled, answered and watched from the command line."""

import json
import os
import pty
import select
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from racine.client import Client
from services.summaries import Duty
from tests.api.server import Api
from tests.conftest import Temporal
from tests.racine.cli.test_cli import ROOT, racine, server

__all__ = ["server"]

STEERED = """
name: steered
tasks:
- task_key: paid
  wait_task: {signal: paid, payload_schema: {type: object, required: [amount]}}
- task_key: ask
  depends_on: [{task_key: paid}]
  approval_task:
    prompt: Release?
    self_approval: true
    form: {type: object, required: [ticket]}
- task_key: tell
  depends_on: [{task_key: ask}, {task_key: paid}]
  operation_task:
    operation: racine.notify
    input:
      subject: "{{ tasks.ask.values.form.ticket }}: {{ tasks.paid.values.payload.amount }}"
outputs: {ticket: "{{ tasks.ask.values.form.ticket }}"}
"""

CHAIN = """
name: chain
tasks:
- {task_key: a, operation_task: {operation: racine.noop, input: {value: 20}}}
- task_key: b
  depends_on: [{task_key: a}]
  operation_task: {operation: racine.noop, input: {value: "{{ tasks.a.values.value + 1 }}"}}
- task_key: c
  depends_on: [{task_key: b}]
  operation_task: {operation: racine.noop, input: {value: "{{ tasks.b.values.value * 2 }}"}}
outputs: {c: "{{ tasks.c.values.value }}"}
"""


def told(*arguments: str, **environment: str) -> Any:
    """Return what a command says as JSON."""
    done = racine(*arguments, "-o", "json", **environment)
    assert done.returncode == 0, (arguments, done.stderr)
    return json.loads(done.stdout)


def refused(code: int, says: str, *arguments: str, **environment: str) -> None:
    done = racine(*arguments, **environment)
    assert (done.returncode, says in done.stderr.replace("\n", " ")) == (code, True), done.stderr


def applied(folder: Path, text: str, environment: dict[str, str]) -> None:
    file = folder / "job.yaml"
    file.write_text(text)
    told("apply", str(file), **environment)


def until(client: Client, run: str, key: str, says: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        tasks = {task["key"]: task for task in client.graph(run)["tasks"]}
        if says in f"{tasks[key]['state']} {tasks[key]['waiting']}":
            return
        assert time.monotonic() < deadline, tasks
        time.sleep(0.1)


@pytest.mark.usefixtures("workers")
@pytest.mark.timeout(600)
def test_a_run_is_signalled_and_answered_and_watched_in_the_terminal(
    tmp_path: Path, server: dict[str, str]
) -> None:
    applied(tmp_path, STEERED, server)
    run = told("run", "steered", **server)["id"]
    client = Client(server["RACINE_URL"], server["RACINE_API_KEY"])
    screen = Terminal("runs", "watch", run, **server)
    until(client, run, "paid", "signal")
    refused(1, "they wait for: paid", "runs", "signal", run, "lost", **server)
    refused(1, "does not fit", "runs", "signal", run, "paid", "--payload", "{}", **server)
    refused(2, "is no JSON", "runs", "signal", run, "paid", "--payload", "{", **server)
    given = told("runs", "signal", run, "paid", "--payload", '{"amount": 12}', **server)
    assert (given["state"], given["answer"]) == ("applied", {"signal": "paid"})
    until(client, run, "ask", "approval")
    screen.until("approval")
    refused(1, "do not fit the form", "runs", "approve", run, "ask", "--form", "{}", **server)
    refused(1, "cannot be read", "runs", "approve", run, "ask", "--form", "no.yaml", **server)
    refused(1, "passed on", "runs", "delegate", run, "ask", "usr_nobody", **server)
    refused(1, "open: ask", "runs", "reject", run, "tell", **server)
    (tmp_path / "form.yaml").write_text("ticket: T-17\n")
    answer = racine("runs", "approve", run, "ask", "--form", str(tmp_path / "form.yaml"), **server)
    assert answer.stdout == "approve: approved\n", answer.stderr
    assert client.wait(run, timeout=60)["outputs"] == {"ticket": "T-17"}
    client.close()
    shown = screen.ended()
    # Drawn anew in the same place, not line after line.
    assert "\x1b[1A" in shown
    assert f"{run}  completed  3 of 3 tasks" in shown
    lines = racine("runs", "watch", run, "-o", "json", **server).stdout.splitlines()
    assert [json.loads(line)["state"] for line in lines] == ["completed"]
    refused(1, "nothing to signal", "runs", "signal", run, "paid", **server)


@pytest.mark.usefixtures("workers")
@pytest.mark.timeout(600)
def test_parts_of_a_job_are_run_and_its_length_is_told(
    tmp_path: Path, server: dict[str, str], api_with_temporal: Api, temporal: Temporal
) -> None:
    applied(tmp_path, CHAIN, server)
    first = told("run", "chain", "--until", "b", "--wait", **server)
    # What a task left out would have given is left out too.
    assert (first["state"], first["outputs"]) == ("completed", {})
    refused(1, "/values_from", "run", "chain", "--only", "c", **server)
    refused(1, "nobody", "run", "chain", "--only", "nobody", **server)
    rest = told("run", "chain", "--from", "c", "--values-from", first["id"], "--wait", **server)
    assert rest["outputs"] == {"c": 42}
    alone = told("run", "chain", "--only", "c", "--values-from", first["id"], "--wait", **server)
    assert alone["outputs"] == {"c": 42}
    kinds = {
        task["key"]: task["state"] for task in told("runs", "tasks", alone["id"], **server)["tasks"]
    }
    assert kinds["c"] == "succeeded"
    assert len(told("runs", "list", "--limit", "2", **server)) == 2
    temporal.run(Duty(api_with_temporal.db, settled_after=timedelta())())
    estimate = told("workflows", "estimate", "chain", **server)
    assert (estimate["critical"], [t["measured"] for t in estimate["tasks"]]) == (
        ["a", "b", "c"], [True, True, True],
    )  # fmt: skip
    assert "a → b → c" in racine("workflows", "estimate", "chain", **server).stdout
    refused(1, "no version 9", "workflows", "estimate", "chain", "--version", "9", **server)
    refused(1, "no job 'lost'", "workflows", "estimate", "lost", **server)
    again = told("runs", "repair", alone["id"], "--task", "c", "--dry-run", **server)
    assert (again["state"], [task["path"] for task in again["again"]]) == ("preview", ["c"])


@pytest.mark.timeout(600)
def test_pools_are_set_shown_and_deleted_and_lists_have_an_end(server: dict[str, str]) -> None:
    set_ = ("pools", "set", "one", "--slots", "2", "--tokens-per-second", "1.5")
    assert told(*set_, **server)["slots"] == 2
    with Client(server["RACINE_URL"], server["RACINE_API_KEY"]) as client:
        for name in ("two", "three"):
            client.set_pool(name, {"slots": 2})
            client.apply({"name": name, "tasks": [{"task_key": "a", "noop_task": {}}]})
            client.schedule(name, {"name": name, "cron": "0 1 * * *"})
    for group in ("pools", "workflows", "schedules"):
        assert len(told(group, "list", **server)) >= 2
        assert len(told(group, "list", "--limit", "1", **server)) == 1
    assert "0 of 2" in racine("pools", "show", "one", **server).stdout
    assert told("pools", "delete", "one", **server) == {"name": "one", "deleted": True}
    refused(1, "no pool 'one'", "pools", "show", "one", **server)
    refused(2, "give --slots", "pools", "set", "four", **server)


class Terminal:
    """A command in a terminal of its own, and what it has drawn there."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        self._own, theirs = pty.openpty()
        known = {k: v for k, v in os.environ.items() if not k.startswith("RACINE_")}
        command = [str(Path(sys.executable).parent / "racine"), *arguments]
        self._process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=ROOT, close_fds=True,
            env={**known, "TERM": "xterm", "COLUMNS": "160", "LINES": "40", **environment},
        )  # fmt: skip
        os.close(theirs)
        self._drawn = ""

    def until(self, words: str) -> None:
        deadline = time.monotonic() + 60
        while words not in self._drawn:
            assert time.monotonic() < deadline, self._drawn
            self._read()

    def ended(self) -> str:
        """Return all that it has drawn, once it has ended well."""
        deadline = time.monotonic() + 60
        while self._read():
            assert time.monotonic() < deadline, self._drawn
        assert self._process.wait(timeout=60) == 0, self._drawn
        os.close(self._own)
        return self._drawn

    def _read(self) -> bool:
        """Read what is there; tell False once nothing more can come."""
        if not select.select([self._own], [], [], 1)[0]:
            return True
        try:
            found = os.read(self._own, 65_536)
        except OSError:
            # How Linux tells that the other side is closed.
            return False
        self._drawn += found.decode("utf-8", "replace")
        return bool(found)
