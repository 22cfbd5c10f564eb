"""Orders in random sequences to real runs: each is obeyed once or refused, as a model says."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from models.stores import runs
from racine.errors import Conflict
from services import controls, executions, repairs, workflows
from services.controls import Action
from services.reconciler import Reconciler
from services.repairs import Wish
from tests.temporal.conftest import Stack
from tests.temporal.run_model import UPSTREAM, VERSIONS, RunModel, document
from tests.temporal.test_deep_orders import give
from tests.temporal.test_repair import begun as begun_tries
from tests.temporal.test_repair import ended

TASKS = st.sampled_from(list(UPSTREAM))
MAYBE = st.none() | TASKS
PARAMETERS = st.fixed_dictionaries(
    {}, optional={"broken": st.booleans(), "note": st.integers(1, 3)}
)
MAYBE_VERSION = st.none() | st.integers(1, VERSIONS)
LOGGED = ("retry", "skip", "set_result", "change", "repair", "signal", "delegate")
COUNTED = {"a": "a", "b": "b", "c[0].in": "c", "ask": "ask", "d": "d"}
"""Tasks whose beginnings are counted, by their paths."""
SETTLED = 5
"""Orders before a run may be told to end."""
PLAYERS = 4
"""Runs steered at once: most of an order's time is waiting for servers."""


class Orders(RuleBasedStateMachine):
    """One run and its model; every rule gives both the same order."""

    def __init__(self, stack: Stack, job_id: str) -> None:
        super().__init__()
        self.stack, self.model = stack, RunModel()
        self.run_id = stack.start(job_id)
        self.repaired_after_end = 0
        self.model.settle()
        self._await("")

    @rule(key=MAYBE)
    def pause(self, key: str | None) -> None:
        self._order("pause", key)

    @rule(key=MAYBE)
    def resume(self, key: str | None) -> None:
        self._order("resume", key)

    @rule(key=TASKS)
    def retry(self, key: str) -> None:
        self._order("retry", key)

    @rule(key=TASKS)
    def skip(self, key: str) -> None:
        self._order("skip", key)

    @rule(key=TASKS, value=st.sampled_from([7, 8, "no number"]))
    def set_result(self, key: str, value: Any) -> None:
        self._order("set_result", key, values={"value": value})

    @rule(word=st.sampled_from(["approve", "reject"]))
    def decide(self, word: str) -> None:
        self._order(word, "ask")

    @rule(parameters=PARAMETERS.filter(bool))
    def change(self, parameters: dict[str, Any]) -> None:
        self._order("change", None, parameters=parameters)

    @rule(key=MAYBE, parameters=PARAMETERS, version=MAYBE_VERSION)
    def repair(self, key: str | None, parameters: dict[str, Any], version: int | None) -> None:
        if self.model.end is None:
            self._order("repair", key, parameters=parameters, version=version)
        elif self.model.end != "terminated":
            self._repair_ended(key, {"parameters": parameters, "version": version})

    @rule()
    def signal(self) -> None:
        self._order("signal", None, name="word")

    @rule()
    def delegate(self) -> None:
        self._order("delegate", "ask", to="role:steward")

    @precondition(lambda self: self.model.obeyed.total() > SETTLED)
    @rule()
    def terminate(self) -> None:
        self._order("terminate", None)

    @precondition(lambda self: self.model.obeyed.total() > SETTLED)
    @rule()
    def cancel(self) -> None:
        self._order("cancel", None)

    def teardown(self) -> None:
        """Bring the run to its end and compare all that it has left behind."""
        if self.model.end is None:
            self._order("cancel", None)
        begun = _begun(self.stack, self.run_id)
        with self.stack.db.read() as session:
            events = runs.events_after(session, self.run_id, 0, limit=10_000)
            run = runs.get(session, self.run_id)
        told = Counter(e.body["order"] for e in events if e.kind == "order")
        wanted = {verb: count for verb, count in self.model.obeyed.items() if verb in LOGGED}
        assert begun <= self.model.begun
        if run.state != "terminated":  # what it had not told yet is lost with it
            assert begun == self.model.begun
            assert {verb: told[verb] for verb in LOGGED if told[verb]} == wanted
        assert run.job_version == self.model.version
        assert len(run.repairs) == self.model.obeyed["repair"] + self.repaired_after_end
        assert run.parameters == self.model.params

    def _order(self, verb: str, key: str | None, **more: Any) -> None:
        execution = self._execution() if verb == "repair" else ""
        obeyed = self.model.obey(verb, key, more)
        assert self._obeys(verb, key, more) is obeyed, (verb, key, more, self.model)
        if obeyed:
            self._await(execution)

    def _obeys(self, verb: str, key: str | None, more: dict[str, Any]) -> bool:
        try:
            if verb == "repair":
                self._repair_open(Wish(tasks=[key] if key else [], **more))
            else:
                give(self.stack, self.run_id, Action(verb), key, **more)
        except Conflict:
            return False
        return True

    def _repair_open(self, wish: Wish) -> None:
        stack = self.stack
        with stack.db.write() as session:
            _, order = repairs.record_open(session, stack.actor, self.run_id, wish)
        order = stack.temporal.run(controls.deliver(stack.db, stack.temporal.client, order))
        assert order.state == controls.APPLIED

    def _repair_ended(self, key: str | None, more: dict[str, Any]) -> None:
        stack, wish = self.stack, Wish(tasks=[key] if key else [], **more)
        obeyed = self.model.repair_ended(key, more)
        try:
            with stack.db.write() as session:
                _, launch = repairs.record(session, stack.actor, self.run_id, wish)
        except Conflict:
            assert not obeyed, (key, more, self.model)
            return
        assert obeyed, (key, more, self.model)
        execution = self._execution()
        self.repaired_after_end += 1
        stack.temporal.run(executions.start(stack.temporal.client, launch))
        executions.mark_started(stack.db, self.run_id)
        self._await(execution)

    def _await(self, before: str) -> None:
        """Wait until the run is what its model is; `before` is the execution that it must leave."""
        if self.model.end == "terminated":
            stack = self.stack
            stack.temporal.run(
                Reconciler(stack.db, stack.temporal.client, grace=timedelta()).settle()
            )
        if self.model.end is not None:
            run = ended(self.stack, self.run_id)
            assert run.state == self.model.end
            if run.state == "completed":
                assert run.outputs == {"d": self.model.value}
            return
        wanted = dict(self.model.states)
        self.stack.wait_for(
            lambda _: (
                ((not before or self._execution() != before) and self._states() == wanted) or None
            )
        )

    def _states(self) -> dict[str, str]:
        """Ask the run how its tasks ended: as a repair of them all would find them."""
        again = self.stack.outlook(self.run_id, *UPSTREAM)
        return {task["path"]: task["was"] for task in again if task["path"] in UPSTREAM}

    def _execution(self) -> str:
        described = self.stack.temporal.run(self._handle().describe())
        return str(described.run_id)

    def _handle(self) -> Any:
        return self.stack.temporal.client.get_workflow_handle(f"deep/{self.run_id}")


def _job(stack: Stack) -> str:
    job_id = stack.save(document(1))
    for version in range(1, VERSIONS):
        with stack.db.write() as session:
            workflows.replace(session, stack.actor, job_id, document(version + 1), version)
    return job_id


def _begun(stack: Stack, run_id: str) -> Counter[str]:
    """Return how often each task was begun, and the question asked."""
    tries = set(begun_tries(stack, run_id))
    with stack.db.read() as session:
        events = runs.events_after(session, run_id, 0, limit=10_000)
    asked = {(e.task_key, e.attempt) for e in events if e.kind == "waiting"}
    return Counter(COUNTED[path] for path, _ in tries | asked if path in COUNTED)


def _play(stack: Stack, job_id: str, player: int, examples: int, steps: int) -> None:
    """Play sequences that are the same each time, and other ones for each player."""
    quiet = [HealthCheck.too_slow, HealthCheck.filter_too_much]
    chosen = settings(max_examples=examples, stateful_step_count=steps, deadline=None,
                      suppress_health_check=quiet, database=None, phases=[Phase.generate],
                      )  # fmt: skip

    @seed(player)
    class Given(Orders):
        def __init__(self) -> None:
            super().__init__(stack, job_id)

    run_state_machine_as_test(Given, settings=chosen)


@pytest.mark.timeout(600)
def test_orders_in_any_sequence_are_obeyed_once_or_refused_as_the_model_says(stack: Stack) -> None:
    _play(stack, _job(stack), 0, examples=5, steps=10)


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_a_thousand_sequences_end_as_the_model_says(stack: Stack) -> None:
    job_id = _job(stack)
    with ThreadPoolExecutor(PLAYERS) as players:
        played = [
            players.submit(_play, stack, job_id, player, examples=1000 // PLAYERS, steps=15)
            for player in range(PLAYERS)
        ]
    for play in played:
        play.result()
