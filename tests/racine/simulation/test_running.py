"""Runs simulated by the engine's own scheduler, in time that passes at once."""

import time
from typing import Any

import pytest

from racine.definitions.validation import validate
from racine.errors import InvalidInput
from racine.simulation.running import Simulation, simulate


def task(key: str, *upstream: str, **more: Any) -> dict[str, Any]:
    kind = {} if any(name.endswith("_task") for name in more) else {
        "python_task": {"callable": "mine:work"}
    }  # fmt: skip
    return {"task_key": key, "depends_on": [{"task_key": up} for up in upstream], **kind, **more}


def run(tasks: list[dict[str, Any]], mocks: Any = None, **more: Any) -> Simulation:
    parameters = more.pop("given", {})
    document = validate({"name": "job", "tasks": tasks, **more})
    return simulate(document, parameters, {"tasks": mocks or {}})


def states(told: Simulation) -> dict[str, str]:
    return {path: task.result.state.value for path, task in told.tasks.items()}


def test_the_order_is_that_of_the_simulated_times() -> None:
    tasks = [task("slow"), task("quick"), task("after", "quick"), task("end", "slow", "after")]
    told = run(tasks, {"slow": {"seconds": 90}, "quick": {"seconds": 5}, "after": {"seconds": 1}})
    assert told.order == ["slow", "quick", "after", "end"]
    times = {path: (task.started, task.ended) for path, task in told.tasks.items()}
    assert times == {"slow": (0, 90), "quick": (0, 5), "after": (5, 6), "end": (90, 90)}
    assert (told.state, told.seconds) == ("completed", 90)


def test_days_of_waiting_take_no_time() -> None:
    tasks = [
        task("a", wait_task={"duration_seconds": 86_400 * 30}),
        task("b", "a", wait_task={"until": "2026-03-01T00:00:00Z"}),
        task("c", "b", wait_task={"until": "2020-01-01T00:00:00Z"}),
    ]
    began = time.monotonic()
    assert run(tasks).seconds == 59 * 86_400
    assert time.monotonic() - began < 60


def test_attempts_follow_the_retry_policy() -> None:
    policy = {"maximum_attempts": 3, "initial_interval_seconds": 10, "backoff_coefficient": 3,
              "non_retryable_error_types": ["Fatal"]}  # fmt: skip
    failed, fatal = {"error": {"code": "Flaky"}}, {"error": {"code": "Fatal"}}
    for answers, state, attempts, seconds in (
        ([failed, failed, {"values": {"n": 1}}], "succeeded", 3, 40),
        (failed, "failed", 3, 40),
        (fatal, "failed", 1, 0),
        ([failed, fatal], "failed", 2, 10),
        ({"error": {"retryable": False}}, "failed", 1, 0),
    ):
        told = run([task("a", retry_policy=policy)], {"a": answers})
        found = told.tasks["a"]
        assert (found.result.state, found.attempts, told.seconds) == (state, attempts, seconds)


def test_time_limits_hold_for_attempts_tasks_and_the_run() -> None:
    slow = {"a": {"seconds": 100}}
    once = {"retry_policy": {"maximum_attempts": 1}}
    late = run([task("a", start_to_close_timeout_seconds=60, **once)], slow)
    assert (late.state, late.error and late.error["code"], late.seconds) == (
        "failed",
        "timeout",
        60,
    )
    stops = run([task("a"), task("b", "a")], slow, timeout_seconds=30,
                **{"finally": [task("tidy", noop_task={})]})  # fmt: skip
    assert (stops.state, stops.seconds) == ("timed_out", 30)
    assert states(stops) == {"a": "cancelled", "b": "cancelled", "tidy": "succeeded"}


def test_branches_are_taken_as_the_values_say() -> None:
    tasks = [
        task("count"),
        task("any", "count", condition_task={"expression": "tasks.count.values.rows > 0"}),
        {**task("load"), "depends_on": [{"task_key": "any", "outcome": "true"}]},
        {**task("skip"), "depends_on": [{"task_key": "any", "outcome": "false"}]},
        task("route", "count", switch_task={"on": "{{ params.env }}", "cases": ["a"]}),
        task("not_here", "count", condition="params.env == 'b'"),
    ]
    parameters = [{"name": "env", "default": "a"}]
    told = run(tasks, {"count": {"values": {"rows": 3}}}, parameters=parameters)
    assert told.order == ["count", "any", "route", "load"]
    assert states(told) == {
        "count": "succeeded", "any": "succeeded", "load": "succeeded", "skip": "excluded",
        "route": "succeeded", "not_here": "excluded",
    }  # fmt: skip
    assert told.tasks["not_here"].result.reason == "condition"
    assert told.unmocked == ["load"]


def test_single_iterations_of_nested_loops_are_answered_for() -> None:
    inner = task("inner", for_each_task={"inputs": ["x", "y"], "tasks": [task("clean")]})
    loop = task("outer", for_each_task={"inputs": [1, 2], "tasks": [inner]})
    told = run([loop, task("end", "outer", run_if="ALL_DONE")],
               {"outer[1].inner[0].clean": {"error": {"retryable": False}}})  # fmt: skip
    found = states(told)
    assert found["outer[0].inner[0].clean"] == "succeeded"
    assert found["outer[1].inner[0].clean"] == "failed"
    assert (found["outer"], found["end"], told.state) == ("failed", "succeeded", "completed")


def test_loops_keep_to_their_concurrency_and_to_the_failures_they_allow() -> None:
    def loop(percent: int) -> dict[str, Any]:
        spec = {"inputs": list(range(10)), "concurrency": 2, "max_failed_percent": percent}
        return task("loop", for_each_task={**spec, "tasks": [task("one")]})

    told = run([loop(0)], {"one": {"seconds": 3}})
    assert told.seconds == 15
    fails = {"one": {"seconds": 1}, **{f"loop[{n}].one": {"error": {"retryable": False}}
                                       for n in (2, 3)}}  # fmt: skip
    assert run([loop(20)], fails).tasks["loop"].result.values == {
        "total": 10, "succeeded": 8, "failed": 2, "failed_items": [2, 3],
    }  # fmt: skip
    broken = run([loop(10)], fails)
    assert broken.state == "failed"
    assert len([path for path in broken.order if path.startswith("loop[")]) < 10


def test_people_and_gates_decide_as_they_are_told_to() -> None:
    ask = {"timeout_seconds": 60, "on_timeout": "REJECT", "on_reject": "CONTINUE"}
    gate = {"source": "shop", "on_fail": "CONTINUE", "checks": [{"expression": "true"}]}
    tasks = [task("ask", approval_task=ask), task("gate", quality_task=gate)]
    assert {path: task.result.outcome for path, task in run(tasks).tasks.items()} == {
        "ask": "approved", "gate": "passed",
    }  # fmt: skip
    told = run(tasks, {"ask": {"seconds": 61}, "gate": {"outcome": "failed"}})
    assert {path: task.result.outcome for path, task in told.tasks.items()} == {
        "ask": "rejected", "gate": "failed",
    }  # fmt: skip
    strict = [task("ask", approval_task={}), task("gate", quality_task={**gate, "on_fail": "FAIL"})]
    refused = run(strict, {"ask": {"outcome": "rejected"}, "gate": {"outcome": "failed"}})
    assert states(refused) == {"ask": "failed", "gate": "failed"}


def test_a_failure_is_followed_by_what_comes_after() -> None:
    tasks = [task("a"), task("b", "a"), task("beside")]
    after: dict[str, Any] = {
        "on_failure": [task("tell", notify_task={"subject": "{{ tasks.a.state }}"})],
        "finally": [task("tidy", condition_task={"expression": "run.state == 'failed'"})],
    }
    mocks = {"a": {"error": {"retryable": False}}, "beside": {"seconds": 9}}
    told = run(tasks, mocks, **after)
    assert states(told)["b"] == "skipped"
    assert told.order == ["a", "beside", "tell", "tidy"]
    assert told.tasks["tidy"].result.outcome == "true"
    fast = run(tasks, mocks, failure_policy="FAIL_FAST", **after)
    assert (fast.state, fast.seconds, states(fast)["beside"]) == ("failed", 0, "cancelled")
    assert "tell" not in run(tasks, **after).order


def test_outputs_are_those_of_the_mocks_and_are_checked() -> None:
    schema = {"type": "object", "required": ["rows"]}
    told = run([task("a", outputs=schema)], {"a": {"values": {"rows": 2}}},
               outputs={"rows": "{{ tasks.a.values.rows }}"})  # fmt: skip
    assert told.outputs == {"rows": 2}
    unfit = run([task("a", outputs=schema)])
    assert unfit.error is not None
    assert unfit.error["code"] == "contract_broken"
    missing = run([task("a")], outputs={"rows": "{{ tasks.a.values.rows }}"})
    assert (missing.state, missing.unmocked) == ("failed", ["a"])


@pytest.mark.parametrize(
    ("mocks", "pointer"),
    [
        ({"tasks": {"b": {}}}, "/tasks/b"),
        ({"tasks": {"loop[0].b": {}}}, "/tasks/loop[0].b"),
        ({"tasks": {"a": {"value": 1}}}, "/tasks/a/0/value"),
        ({"task": {}}, "/task"),
    ],
)
def test_mocks_that_cannot_be_meant_are_refused(mocks: Any, pointer: str) -> None:
    with pytest.raises(InvalidInput) as told:
        simulate(validate({"name": "j", "tasks": [task("a")]}), {}, mocks)
    assert told.value.faults[0].pointer == pointer


def test_a_simulation_has_an_end() -> None:
    loop = task("loop", for_each_task={"inputs": "{{ params.n }}", "tasks": [task("one")]})
    given = {"n": list(range(30_000))}
    with pytest.raises(InvalidInput, match="stops after"):
        run([loop], parameters=[{"name": "n"}], given=given)


def test_loops_go_on_while_their_condition_holds_and_collect_what_they_gave() -> None:
    spec = {"condition": "tasks.ask.values.left > 0", "delay_seconds": 60,
            "collect": "{{ tasks.ask.values.left }}", "tasks": [task("ask")]}  # fmt: skip
    answers = {f"poll[{n}].ask": {"values": {"left": 2 - n}} for n in range(3)}
    told = run([task("poll", while_task=spec)], answers)
    assert told.tasks["poll"].result.values == {"iterations": 3, "exhausted": False, "result": 0}
    assert (told.seconds, told.order[1:]) == (120, ["poll[0].ask", "poll[1].ask", "poll[2].ask"])
    short = run([task("poll", while_task={**spec, "max_iterations": 2})], answers)
    assert short.error is not None
    assert short.error["code"] == "max_iterations"
    each = {"inputs": ["a", "b"], "item": "name", "collect": "{{ name + tasks.one.state }}",
            "tasks": [task("one", condition="name != 'b'")]}  # fmt: skip
    assert (run([task("loop", for_each_task=each)]).tasks["loop"].result.values or {})[
        "results"
    ] == ["asucceeded", "bexcluded"]


def test_a_signal_comes_when_its_mock_says_and_brings_what_it_says() -> None:
    schema = {"type": "object", "required": ["amount"]}
    spec = {"signal": "paid", "payload_schema": schema, "timeout_seconds": 600}
    came = {"expression": "tasks.paid.values.received"}
    tasks = [task("paid", wait_task=spec), task("big", "paid", condition_task=came)]
    comes = {"paid": {"values": {"payload": {"amount": 5}}, "seconds": 60}}
    told = run(tasks, comes, outputs={"amount": "{{ tasks.paid.values.payload.amount }}"})
    assert (told.state, told.seconds, told.outputs) == ("completed", 60, {"amount": 5})
    late = run(tasks, {"paid": {"seconds": 601}})
    assert (late.state, late.seconds, (late.error or {})["code"]) == ("failed", 600, "timed_out")
    goes_on = run([task("paid", wait_task={**spec, "on_timeout": "CONTINUE"}), tasks[1]],
                  {"paid": {"seconds": 601}})  # fmt: skip
    assert goes_on.tasks["big"].result.outcome == "false"
    unfit = run(tasks, {"paid": {"values": {"payload": {}}}})
    assert "does not fit the signal 'paid'" in (unfit.error or {})["message"]
    assert run(tasks).unmocked == ["paid"]


def test_what_is_held_waits_for_a_person_and_is_told() -> None:
    tasks = [task("a"), task("b", "a"), task("beside")]
    fails = {"a": {"error": {"retryable": False}}, "beside": {"seconds": 30}}
    after = {"finally": [task("tidy", noop_task={})]}
    told = run(tasks, fails, failure_policy="HOLD", **after)
    assert (told.state, told.held, told.seconds) == ("running", ["a"], 30)
    assert (told.error or {})["code"] == "mocked"
    assert states(told) == {"a": "failed", "b": "skipped", "beside": "succeeded"}
    limited = run(tasks, fails, failure_policy="HOLD", timeout_seconds=90, **after)
    assert (limited.state, limited.seconds) == ("timed_out", 90)
    assert "tidy" in limited.order


def test_rules_decide_what_follows_a_failed_attempt() -> None:
    rules = [{"when": "error.code == 'Locked'", "action": "RETRY", "delay_seconds": 20},
             {"when": "error.code == 'Gone'", "action": "SKIP"},
             {"when": "error.code == 'Odd'", "action": "HOLD"}]  # fmt: skip
    tasks = [task("a", retry_rules=rules, retry_policy={"maximum_attempts": 1}), task("b", "a")]

    def told(*codes: str) -> Simulation:
        return run(tasks, {"a": [*({"error": {"code": code}} for code in codes), {"values": {}}]})

    again = told("Locked", "Locked")
    assert (again.state, again.seconds, again.tasks["a"].attempts) == ("completed", 40, 3)
    assert told("Locked", "Locked", "Locked").state == "failed"
    assert told("Other").state == "failed"
    assert states(told("Gone")) == {"a": "excluded", "b": "excluded"}
    held = told("Locked", "Odd")
    assert (held.state, held.held, states(held)) == ("running", ["a"], {"a": "running"})


def test_what_succeeded_is_undone_in_reverse_order_after_a_failure() -> None:
    def undone(key: str, *upstream: str) -> dict[str, Any]:
        undo = [task(f"undo_{key}", notify_task={"subject": f"{{{{ tasks.{key}.state }}}}"})]
        return task(key, *upstream, compensate_with=undo)

    tasks = [undone("a"), undone("b", "a"), undone("c", "b"), undone("aside")]
    after: dict[str, Any] = {"on_failure": [task("tell")], "finally": [task("tidy")]}
    mocks = {"c": {"error": {"retryable": False}}, "b": {"seconds": 5}, "aside": {"seconds": 2},
             "undo_aside": {"error": {"retryable": False}}}  # fmt: skip
    told = run(tasks, mocks, **after)
    assert told.order == ["a", "aside", "b", "c", "undo_b", "undo_aside", "undo_a", "tell", "tidy"]
    assert told.state == "failed"
    good = run(tasks, {}, **after)
    assert not any(path.startswith("undo") for path in good.order)
    late = run(tasks, {"b": {"seconds": 50}}, timeout_seconds=20, **after)
    assert (late.state, late.order[-3:]) == ("timed_out", ["undo_aside", "undo_a", "tidy"])


def test_what_iterations_did_is_undone_the_last_first() -> None:
    undo = [task("undo", notify_task={"subject": "{{ string(item) + tasks.one.state }}"})]
    inner = task("inner", for_each_task={"inputs": ["x", "y"], "concurrency": 1, "tasks": [
        task("one", compensate_with=undo)]})  # fmt: skip
    loop = task("outer", for_each_task={"inputs": [1, 2], "concurrency": 1, "tasks": [inner]})
    fails = {"outer[1].inner[1].one": {"error": {"retryable": False}}}
    told = run([loop, task("aside", "outer")], fails)
    assert [path for path in told.order if path.endswith("undo")] == [
        "outer[1].inner[0].undo", "outer[0].inner[1].undo", "outer[0].inner[0].undo",
    ]  # fmt: skip
    assert told.state == "failed"
    assert not [path for path in run([loop], {}).order if path.endswith("undo")]


def test_pools_hold_tasks_back_by_their_slots_and_tokens() -> None:
    def timed(pool: dict[str, Any], *tasks: dict[str, Any]) -> dict[str, Any]:
        document = validate({"name": "job", "tasks": list(tasks)})
        mocks = {"operations": {}, "tasks": {t["task_key"]: {"seconds": 10} for t in tasks},
                 "pools": {"db": pool}}  # fmt: skip
        told = simulate(document, {}, mocks)
        return {path: found.started for path, found in told.tasks.items()}

    small = [task(key, pool="db") for key in "abc"]
    assert timed({"slots": 2}, *small) == {"a": 0, "b": 0, "c": 10}
    assert timed({"slots": 3}, *small, task("free")) == {"a": 0, "b": 0, "c": 0, "free": 0}
    big = task("big", pool="db", pool_slots=2)
    assert timed({"slots": 2}, small[0], big, small[1]) == {"a": 0, "big": 10, "b": 20}
    first = task("first", pool="db", priority=1)
    assert timed({"slots": 1}, *small, first) == {"a": 0, "first": 10, "b": 20, "c": 30}
    assert timed({"tokens_per_second": 0.5}, *small) == {"a": 0, "b": 2, "c": 4}
    never = simulate(validate({"name": "job", "tasks": [big]}), {}, {"pools": {"db": {"slots": 1}}})
    assert "which has 1" in (never.error or {})["message"]
