"""Random jobs, simulated and really run on Temporal: every task ends in the same state."""

import random
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError

from models.stores import runs
from racine.definitions.validation import validate
from racine.sdk import local
from tests.temporal.conftest import Stack

RULES = ["ALL_SUCCESS", "AT_LEAST_ONE_SUCCESS", "NONE_FAILED", "ALL_DONE",
         "AT_LEAST_ONE_FAILED", "ALL_FAILED"]  # fmt: skip
ENDED = {"succeeded", "failed", "skipped", "excluded", "cancelled"}


class Writer:
    """Writes random jobs whose tasks end as their documents say, here and there."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)
        self._count = 0

    def job(self) -> dict[str, Any]:
        document: dict[str, Any] = {
            "name": "random",
            "defaults": {"retry_policy": {"maximum_attempts": 1}},
            "tasks": self.tasks(8, 2),
        }
        for name in ("on_failure", "finally"):
            if self.chance(0.5):
                document[name] = self.tasks(2, 1, undone=False)
        return document

    def chance(self, share: float) -> bool:
        return self._dice.random() < share

    def tasks(self, most: int, depth: int, *, undone: bool = True) -> list[dict[str, Any]]:
        made: list[dict[str, Any]] = []
        for _ in range(self._dice.randint(1, most)):
            self._count += 1
            task = {"task_key": f"t{self._count}", **self.kind(depth)}
            if made:
                chosen = self._dice.sample(made, min(len(made), self._dice.randint(0, 3)))
                task["depends_on"] = [self.edge(to) for to in chosen]
            if task.get("depends_on") and self.chance(0.4):
                task["run_if"] = self._dice.choice(RULES)
            if task.get("depends_on") and self.chance(0.3):
                task |= self.join(len(task["depends_on"]))
            if undone and depth and self.chance(0.2):
                task["compensate_with"] = self.tasks(1, 0)
            if self.chance(0.1):
                task["disabled"] = True
            if self.chance(0.15):
                task["condition"] = self._dice.choice(["true", "1 > 2"])
            made.append(task)
        return made

    def join(self, upstream: int) -> dict[str, Any]:
        counted = {"join": "n_of", "join_count": self._dice.randint(1, upstream)}
        return self._dice.choice([{"join": "any"}, counted])

    def edge(self, to: dict[str, Any]) -> dict[str, Any]:
        outcomes = {"condition_task": ["true", "false"], "switch_task": ["a", "b"]}
        found = next((outcomes[kind] for kind in outcomes if kind in to), None)
        if found and self.chance(0.7):
            return {"task_key": to["task_key"], "outcome": self._dice.choice(found)}
        return {"task_key": to["task_key"]}

    def kind(self, depth: int) -> dict[str, Any]:
        kinds = [self.works, self.works, self.fails, self.condition, self.switch]
        return self._dice.choice([*kinds, *([self.loop] if depth else [])])(depth)

    def works(self, depth: int) -> dict[str, Any]:
        return {"operation_task": {"operation": "racine.noop", "input": {"value": 1}}}

    def fails(self, depth: int) -> dict[str, Any]:
        failing = {**self.works(depth), "outputs": {"required": ["what_is_not_there"]}}
        return {**failing, "retry_rules": self.rules()} if self.chance(0.4) else failing

    def rules(self) -> list[dict[str, Any]]:
        again = {"when": "attempt < 2", "action": "RETRY", "delay_seconds": 0.01}
        broken = {"when": "error.code == 'contract_broken'", "action": "SKIP"}
        other = {"when": "error.code == 'unheard_of'", "action": "SKIP"}
        return self._dice.choice([[again, broken], [broken], [other, again], [{"action": "FAIL"}]])

    def condition(self, depth: int) -> dict[str, Any]:
        return {"condition_task": {"expression": self._dice.choice(["true", "false"])}}

    def switch(self, depth: int) -> dict[str, Any]:
        return {"switch_task": {"on": self._dice.choice("abc"), "cases": ["a"], "default": "b"}}

    def loop(self, depth: int) -> dict[str, Any]:
        spec = {
            "inputs": [1, 2],
            "concurrency": 1,
            "max_failed_percent": self._dice.choice([0, 100]),
        }
        return {"for_each_task": {**spec, "tasks": self.tasks(3, depth - 1)}}


def really(stack: Stack, document: dict[str, Any]) -> tuple[str, dict[str, str]]:
    run_id = stack.start(stack.save(document))
    try:
        stack.result(run_id)
    except WorkflowFailureError:
        pass
    stack.events(run_id)
    with stack.db.read() as session:
        events = runs.events_after(session, run_id, 0, limit=10_000)
        states = {event.task_key: event.kind for event in events if event.kind in ENDED}
        return runs.get(session, run_id).state, states


@pytest.mark.parametrize("seed", range(16))
def test_a_simulated_job_goes_as_the_real_one_does(stack: Stack, seed: int) -> None:
    document = Writer(seed).job()
    simulated = local.run(validate(document), {}, {}, {})
    states = {path: result.state.value for path, result in simulated.tasks.items()}
    assert (simulated.state.value, states) == really(stack, document), document
