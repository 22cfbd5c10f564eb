"""Two documents of one job, compared by what they mean."""

from copy import deepcopy
from typing import Any

from racine.definitions.diff import Change, diff
from racine.definitions.validation import validate

JOB: dict[str, Any] = {
    "spec_version": "1",
    "name": "orders",
    "parameters": [{"name": "day"}, {"name": "size", "default": 3}],
    "tasks": [
        {"task_key": "extract", "python_task": {"callable": "shop:extract"}},
        {"task_key": "check", "noop_task": {}},
        {
            "task_key": "clean",
            "depends_on": [{"task_key": "extract"}, {"task_key": "check"}],
            "retry_policy": {"maximum_attempts": 3},
            "python_task": {
                "callable": "shop:clean",
                "parameters": {"rows": "{{ tasks.extract.values.rows }}", "mode": {"deep": 1}},
            },
        },
        {
            "task_key": "each",
            "for_each_task": {
                "inputs": [1, 2],
                "tasks": [{"task_key": "one", "python_task": {"callable": "shop:one"}}],
            },
        },
    ],
}


def compare(after: dict[str, Any]) -> list[Change]:
    return diff(validate(JOB), validate(after))


def test_layout_order_and_written_defaults_are_no_change() -> None:
    after = deepcopy(JOB) | {"ui": {"layout": {"extract": [0, 1]}}}
    after["tasks"].reverse()
    after["parameters"].reverse()
    after["tasks"][1]["depends_on"].reverse()
    after["tasks"][2]["run_if"] = "ALL_SUCCESS"
    after["tasks"][2]["disabled"] = False
    after["failure_policy"] = "CONTINUE"
    assert compare(after) == []


def test_one_field_is_one_change_with_its_place() -> None:
    after = deepcopy(JOB)
    after["tasks"][2]["retry_policy"]["maximum_attempts"] = 5
    after["tasks"][2]["python_task"]["parameters"]["mode"]["deep"] = 2
    assert compare(after) == [
        Change("changed", "/tasks/2/python_task/parameters/mode/deep", "clean",
               "python_task/parameters/mode/deep", 1, 2),
        Change("changed", "/tasks/2/retry_policy/maximum_attempts", "clean",
               "retry_policy/maximum_attempts", 3, 5),
    ]  # fmt: skip


def test_tasks_come_and_go() -> None:
    after = deepcopy(JOB)
    after["tasks"][1] = {"task_key": "count", "python_task": {"callable": "shop:count"}}
    after["tasks"][2]["depends_on"][1] = {"task_key": "count"}
    found = {(c.kind, c.task, c.field, c.pointer) for c in compare(after)}
    assert found == {
        ("added", "count", "", "/tasks/1"),
        ("added", "clean", "depends_on/1", "/tasks/2/depends_on/1"),
        ("removed", "clean", "depends_on/1", "/tasks/2/depends_on/1"),
        ("removed", "check", "", "/tasks/1"),
    }


def test_a_task_of_another_name_is_renamed_and_its_readers_are_the_same() -> None:
    after = deepcopy(JOB)
    after["tasks"][0]["task_key"] = "fetch"
    after["tasks"][2]["depends_on"][0] = {"task_key": "fetch"}
    after["tasks"][2]["python_task"]["parameters"]["rows"] = "{{ tasks.fetch.values.rows }}"
    assert compare(after) == [
        Change("renamed", "/tasks/0/task_key", "fetch", "task_key", "extract", "fetch")
    ]


def test_a_name_that_two_could_have_had_is_no_renaming() -> None:
    before = {**JOB, "tasks": [{"task_key": k, "noop_task": {}} for k in ("a", "b")]}
    after = {**JOB, "tasks": [{"task_key": k, "noop_task": {}} for k in ("c", "d")]}
    kinds = [(c.kind, c.task) for c in diff(validate(before), validate(after))]
    assert kinds == [("added", "c"), ("added", "d"), ("removed", "a"), ("removed", "b")]


def test_a_renamed_loop_takes_its_body_along() -> None:
    after = deepcopy(JOB)
    after["tasks"][3]["task_key"] = "per_item"
    assert [(c.kind, c.old, c.new) for c in compare(after)] == [("renamed", "each", "per_item")]


def test_bodies_are_compared_and_a_task_that_leaves_one_has_moved() -> None:
    after = deepcopy(JOB)
    after["tasks"][3]["for_each_task"]["tasks"] += [{"task_key": "two", "noop_task": {}}]
    after["tasks"][3]["for_each_task"]["tasks"][0]["disabled"] = True
    assert [(c.kind, c.task, c.pointer) for c in compare(after)] == [
        ("changed", "one", "/tasks/3/for_each_task/tasks/0/disabled"),
        ("added", "two", "/tasks/3/for_each_task/tasks/1"),
    ]
    moved = deepcopy(JOB)
    moved["tasks"].append(moved["tasks"][3]["for_each_task"]["tasks"][0])
    moved["tasks"][3]["for_each_task"]["tasks"] = [{"task_key": "two", "noop_task": {}}]
    assert [(c.task, c.old, c.new) for c in compare(moved) if c.kind == "moved"] == [
        ("one", "each", "tasks")
    ]


def test_the_jobs_own_fields_and_parameters() -> None:
    found = compare(JOB | {
        "timeout_seconds": 60,
        "tags": {"team": "dg"},
        "parameters": [{"name": "size", "default": 4}, {"name": "zone"}],
    })  # fmt: skip
    for expected in (
        Change("added", "/timeout_seconds", None, "timeout_seconds", None, 60.0),
        Change("added", "/tags/team", None, "tags/team", None, "dg"),
        Change("changed", "/parameters/0/default", None, "parameters/0/default", 3, 4),
    ):
        assert expected in found
    assert [c.kind for c in found if c.field.startswith("parameters/")] == [
        "changed", "added", "removed",
    ]  # fmt: skip


def test_a_written_time_limit_of_the_job_is_a_change_even_at_its_default() -> None:
    found = compare(JOB | {"defaults": {"start_to_close_timeout_seconds": 600}})
    assert [c.field for c in found] == ["defaults/start_to_close_timeout_seconds"]


def test_truth_is_not_one() -> None:
    after = deepcopy(JOB)
    after["tasks"][2]["python_task"]["parameters"]["mode"]["deep"] = True
    assert [(c.old, c.new) for c in compare(after)] == [(1, True)]
