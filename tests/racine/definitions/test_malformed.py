"""Malformed graphs: all that is wrong comes at once, each with its place and a way out."""

from typing import Any

from racine.definitions.validation import examine
from racine.errors import Fault


def noop(key: str, *upstream: str, **more: Any) -> dict[str, Any]:
    edges = [{"task_key": up} for up in upstream]
    return {"task_key": key, "noop_task": {}, "depends_on": edges, **more}


def loop(key: str, *tasks: dict[str, Any]) -> dict[str, Any]:
    return {"task_key": key, "for_each_task": {"inputs": [1], "tasks": list(tasks)}}


def test_all_faults_of_a_malformed_graph_are_told_at_once() -> None:
    tasks = [
        noop("a", "c"), noop("b", "a"), noop("c", "b"),
        noop("self", "self"),
        noop("lost", "nobody"),
        noop("a", "nowhere"),
        noop("counted", "lost", join="n_of"),
        noop("joins", join="any"),
        noop("many", "lost", "self", join="n_of", join_count=3),
        {"task_key": "asks", "condition_task": {"expression": "true"}},
        {**noop("branch"), "depends_on": [{"task_key": "asks", "outcome": "maybe"}]},
        {**noop("odd"), "depends_on": [{"task_key": "lost", "outcome": "true"}]},
        loop("outer",
             noop("x", "y"), noop("y", "x"), noop("z", "z"), noop("lost", "x"),
             loop("inner", noop("deep", "a"), noop("deeper", "deeper"))),
        {"task_key": "reads", "condition_task": {"expression": "tasks.zzz.values.n > 1"}},
        {"task_key": "ahead", "condition_task": {"expression": "tasks.last.values.n > 1"}},
        noop("twice", "lost", "lost"),
        noop("form", retry={}),
        {"task_key": "nothing"},
        {"task_key": "both", "noop_task": {}, "condition_task": {"expression": "true"}},
        noop("last"),
    ]  # fmt: skip
    document = {
        "name": "malformed",
        "tasks": tasks,
        "on_failure": [noop("told", "ghost")],
        "finally": [noop("tidy", "tidy"), noop("b")],
        "outputs": {"n": "{{ tasks.ghost.values.n }}"},
    }
    found = examine(document).faults
    assert {(fault.pointer, fault.code) for fault in found} == {
        ("/tasks/0/depends_on/0", "cycle"),
        ("/tasks/3/depends_on/0", "self_loop"),
        ("/tasks/4/depends_on/0/task_key", "unknown_task"),
        ("/tasks/5/task_key", "duplicate_key"),
        ("/tasks/5/depends_on/0/task_key", "unknown_task"),
        ("/tasks/6/join_count", "join"),
        ("/tasks/7/join_count", "join"),
        ("/tasks/8/join_count", "join"),
        ("/tasks/10/depends_on/0/outcome", "unknown_outcome"),
        ("/tasks/11/depends_on/0/outcome", "outcome_of_no_condition"),
        ("/tasks/12/for_each_task/tasks/0/depends_on/0", "cycle"),
        ("/tasks/12/for_each_task/tasks/2/depends_on/0", "self_loop"),
        ("/tasks/12/for_each_task/tasks/3/task_key", "duplicate_key"),
        (
            "/tasks/12/for_each_task/tasks/4/for_each_task/tasks/0/depends_on/0/task_key",
            "unknown_task",
        ),
        ("/tasks/12/for_each_task/tasks/4/for_each_task/tasks/1/depends_on/0", "self_loop"),
        ("/tasks/13/condition_task/expression", "unknown_task"),
        ("/tasks/14/condition_task/expression", "not_upstream"),
        ("/tasks/15/depends_on/1", "duplicate_edge"),
        ("/tasks/16/retry", "extra_forbidden"),
        ("/tasks/17", "task_kind"),
        ("/tasks/18", "task_kind"),
        ("/on_failure/0/depends_on/0/task_key", "unknown_task"),
        ("/finally/0/depends_on/0", "self_loop"),
        ("/finally/1/task_key", "duplicate_key"),
        ("/outputs/n", "unknown_task"),
    }
    assert _without_way_out(found) == []


def test_a_graph_of_five_thousand_tasks_tells_each_of_its_faults() -> None:
    tasks = [noop(f"t{n}", *(f"t{up}" for up in range(max(0, n - 10), n))) for n in range(5_000)]
    for number in range(0, 5_000, 500):
        tasks[number]["depends_on"].append({"task_key": f"nobody{number}"})
    tasks[1]["depends_on"].append({"task_key": "t4999"})
    found = examine({"name": "large", "tasks": tasks}).faults
    unknown = [fault.pointer for fault in found if fault.code == "unknown_task"]
    assert unknown == [
        f"/tasks/{number}/depends_on/{min(number, 10)}/task_key" for number in range(0, 5_000, 500)
    ]
    (cycle,) = [fault for fault in found if fault.code == "cycle"]
    assert cycle.pointer == "/tasks/1/depends_on/1"
    assert "remove 't4999' from the depends_on of 't1'" in cycle.next_step
    assert len(found) == 11


def test_what_is_wrong_in_form_hides_nothing_of_what_is_wrong_in_meaning() -> None:
    document = {
        "name": "",
        "taks": [],
        "tasks": [noop("a", "nobody"), noop("b", timeout="x"), {"noop_task": {}}],
        "on_failure": [noop("told", retry=1)],
        "finally": [noop("tidy", "ghost")],
    }
    found = examine(document).faults
    assert [fault.pointer for fault in found] == [
        "/name", "/tasks/1/timeout", "/tasks/2/task_key", "/on_failure/0/retry", "/taks",
        "/tasks/0/depends_on/0/task_key", "/finally/0/depends_on/0/task_key",
    ]  # fmt: skip
    assert _without_way_out(found) == []


def _without_way_out(found: list[Fault]) -> list[Fault]:
    return [fault for fault in found if not (fault.message and fault.next_step)]
