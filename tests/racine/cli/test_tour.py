"""The tour of control and repair: every command of the guide is tried, in its order."""

import shlex
import time
from pathlib import Path
from typing import Any

import pytest

from racine.client import Client
from tests.racine.cli.test_cli import ROOT, racine, server

__all__ = ["server"]

PAGE = ROOT / "docs/guide/control-and-repair.md"


def commands(page: Path) -> list[list[str]]:
    """Return the commands that stand indented in the page."""
    lines = page.read_text("utf-8").splitlines()
    return [shlex.split(line)[1:] for line in lines if line.startswith("    racine ")]


def wait(run: str, client: Client, **wanted: str) -> None:
    """Wait until the state of tasks, or why they wait, says so."""
    deadline = time.monotonic() + 60
    while True:
        found = {t["key"]: t["state"] + t["waiting"] for t in client.graph(run)["tasks"]}
        if all(found[key].find(what) >= 0 for key, what in wanted.items()):
            return
        assert time.monotonic() < deadline, found
        time.sleep(0.1)


def ended(run: str, client: Client) -> dict[str, Any]:
    client.wait(run, timeout=60)
    return client.run_detail(run)


def about(words: list[str]) -> str:
    """Return what a command does and to what, without its options."""
    named = [word for word in words[1:] if word != "RUN" and not word.startswith("-")]
    return " ".join(named) if words[0] == "runs" else " ".join(words)


BEFORE: dict[str, dict[str, str]] = {
    "approve publish looks right": {"per_source": "succeeded", "publish": "approval"},
    "reject publish not today": {"per_source": "succeeded"},
}
"""What a person would have seen before a command: states of tasks, or why they wait."""

AFTER_THE_END = [["runs", "repair", "RUN", "--task", "tell"],
                 ["runs", "rerun", "RUN", "--from", "tell"]]  # fmt: skip
"""Commands that the run must have ended for."""

EXITS = {"watch": 1}
"""Commands of the tour that tell by their exit code that a run did not complete."""


class Tour:
    """Somebody who follows the page from above to below, and looks at what each part led to."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment, self.run = environment, ""
        self.client = Client(environment["RACINE_URL"], environment["RACINE_API_KEY"])
        self.ends: list[dict[str, Any]] = []

    def follow(self, words: list[str]) -> None:
        if words == ["run", "tour"] or words in AFTER_THE_END:
            self.leave()
        if before := BEFORE.get(about(words)):
            wait(self.run, self.client, **before)
        told = racine(*[self.run if w == "RUN" else w for w in words], **self.environment)
        assert told.returncode == EXITS.get(words[1], 0), (words, told.stdout, told.stderr)
        if words == ["run", "tour"]:
            self.run = next(word for word in told.stdout.split() if word.startswith("run_"))
            wait(self.run, self.client, per_source="failed", publish="approval")

    def leave(self) -> None:
        if self.run:
            self.ends.append(ended(self.run, self.client))


@pytest.mark.usefixtures("workers")
@pytest.mark.timeout(600)
def test_every_command_of_the_tour_does_what_it_says(server: dict[str, str]) -> None:
    tour, listed = Tour(server), commands(PAGE)
    assert len(listed) > 25
    for words in listed:
        tour.follow(words)
    tour.leave()
    tour.client.close()
    kinds = {words[1] for words in listed if words[0] == "runs"}
    assert kinds >= {"pause", "resume", "repair", "approve", "reject", "delegate", "retry", "skip",
                     "set-result", "change", "cancel", "rerun", "bulk"}  # fmt: skip
    repaired, again, *others = tour.ends
    assert (repaired["outputs"], again["outputs"]) == ({"sources": 3}, {"sources": 3})
    assert [(entry["was"], entry["again_count"] > 0) for entry in again["repairs"]] == [
        ("running", True), ("completed", True),
    ]  # fmt: skip
    found = [(run["state"], run["outputs"]) for run in others]
    assert found == [
        ("completed", {"sources": 3}), ("failed", {}), ("completed", {"sources": 2}),
        ("cancelled", {}), ("cancelled", {}),
    ]  # fmt: skip
    rejected = others[1]["error"]
    assert (rejected["task_key"], rejected["code"]) == ("publish", "rejected")
