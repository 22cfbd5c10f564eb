"""The tour of control and repair: every command of the guide is tried, in its order."""

import json
import shlex
import time
from pathlib import Path
from typing import Any

import pytest

from tests.racine.cli.test_cli import ROOT, racine, server

__all__ = ["server"]

PAGE = ROOT / "docs/guide/control-and-repair.md"


def commands(page: Path) -> list[list[str]]:
    """Return the commands that stand indented in the page."""
    lines = page.read_text("utf-8").splitlines()
    return [shlex.split(line)[1:] for line in lines if line.startswith("    racine ")]


def states(run: str, environment: dict[str, str]) -> dict[str, str]:
    told = racine("runs", "tasks", run, "-o", "json", **environment)
    return {
        task["key"]: task["state"] + task["waiting"] for task in json.loads(told.stdout)["tasks"]
    }


def wait(run: str, environment: dict[str, str], **wanted: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        found = states(run, environment)
        if all(found[key].find(what) >= 0 for key, what in wanted.items()):
            return
        assert time.monotonic() < deadline, found
        time.sleep(0.1)


def ended(run: str, environment: dict[str, str]) -> dict[str, Any]:
    deadline = time.monotonic() + 60
    while True:
        told = racine("runs", "show", run, "-o", "json", **environment)
        found: dict[str, Any] = json.loads(told.stdout)
        if found["state"] in ("completed", "failed"):
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.1)


@pytest.mark.usefixtures("workers")
@pytest.mark.timeout(300)
def test_every_command_of_the_tour_does_what_it_says(server: dict[str, str]) -> None:
    tour = commands(PAGE)
    assert [words[1] for words in tour if words[0] == "runs"] == [
        "tasks", "show", "pause", "resume", "pause", "resume", "repair", "repair", "approve",
        "repair", "rerun",
    ]  # fmt: skip
    run = ""
    for words in tour:
        if words[:2] == ["runs", "approve"]:
            wait(run, server, per_source="succeeded", publish="approval")
        if words[-2:] == ["--task", "tell"]:
            assert ended(run, server)["outputs"] == {"sources": 3}
        if words[:2] == ["runs", "rerun"]:
            assert ended(run, server)["state"] == "completed"
        told = racine(*[run if word == "RUN" else word for word in words], **server)
        assert told.returncode == 0, (words, told.stderr)
        if words == ["run", "tour"]:
            run = next(word for word in told.stdout.split() if word.startswith("run_"))
            wait(run, server, per_source="failed", publish="approval")
    repairs = ended(run, server)["repairs"]
    assert [(entry["was"], entry["again_count"] > 0) for entry in repairs] == [
        ("running", True), ("completed", True),
    ]  # fmt: skip
