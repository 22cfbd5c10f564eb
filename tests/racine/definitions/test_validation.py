"""Validation: every fault at once, each with its place and a way out."""

import json
import sys
import tracemalloc
from typing import Any

import jsonschema_rs
import pytest

from racine.definitions.validation import examine, job_schema, validate
from racine.errors import InvalidInput


def job(*tasks: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"spec_version": "1", "name": "j", "tasks": list(tasks), **more}


def noop(key: str, *upstream: str, **more: Any) -> dict[str, Any]:
    edges = [{"task_key": up} for up in upstream]
    return {"task_key": key, "noop_task": {}, "depends_on": edges, **more}


def operation(key: str, name: str, given: dict[str, Any], *upstream: str) -> dict[str, Any]:
    edges = [{"task_key": up} for up in upstream]
    return {
        "task_key": key,
        "operation_task": {"operation": name, "input": given},
        "depends_on": edges,
    }


def faults(document: dict[str, Any]) -> list[tuple[str, str]]:
    found = examine(document).faults
    assert all(fault.message for fault in found)
    return [(fault.pointer, fault.code) for fault in found]


CASES: list[tuple[str, dict[str, Any], list[tuple[str, str]]]] = [
    ("no kind", job({"task_key": "a"}), [("/tasks/0", "task_kind")]),
    (
        "two kinds",
        job({"task_key": "a", "noop_task": {}, "condition_task": {"expression": "true"}}),
        [("/tasks/0", "task_kind")],
    ),
    ("self loop", job(noop("a", "a")), [("/tasks/0/depends_on/0", "self_loop")]),
    (
        "what comes after is not undone",
        job(noop("a"), **{"finally": [noop("b", compensate_with=noop("c"))]}),
        [("/finally/0/compensate_with", "compensate_with")],
    ),
    (
        "what undoes is not undone",
        job(noop("a", compensate_with=noop("b", compensate_with=noop("c")))),
        [("/tasks/0/compensate_with/0/compensate_with", "compensate_with")],
    ),
    (
        "what is never asked or never happens",
        job(
            noop("a", task_queue="gpu", queue_timeout_seconds=5),
            {
                "task_key": "b",
                "notify_task": {"subject": "Begun"},
                "retry_rules": [{"action": "RETRY"}, {"when": "attempt > 3", "action": "SKIP"}],
            },
            {"task_key": "c", "approval_task": {"on_timeout": "REJECT"}},
            {"task_key": "d", "wait_task": {"signal": "paid", "on_timeout": "CONTINUE"}},
        ),
        [
            ("/tasks/0/task_queue", "no_worker"),
            ("/tasks/0/queue_timeout_seconds", "no_worker"),
            ("/tasks/1/retry_rules/1", "never_asked"),
            ("/tasks/2/approval_task/on_timeout", "timeout"),
            ("/tasks/3/wait_task/on_timeout", "timeout"),
        ],
    ),
    (
        "trying again what would end the same",
        job(
            noop("a", retry_policy={"maximum_attempts": 2}),
            {
                "task_key": "b",
                "condition_task": {"expression": "true"},
                "retry_rules": [{"when": "attempt == 1", "action": "SKIP"}, {"action": "RETRY"}],
            },
            {"task_key": "c", "wait_task": {"duration_seconds": 1}, "retry_policy": {}},
        ),
        [
            ("/tasks/0/retry_policy", "retry"),
            ("/tasks/1/retry_rules/1/action", "retry"),
            ("/tasks/2/retry_policy", "retry"),
        ],
    ),
    (
        "a rejection is no fault",
        job({"task_key": "a", "approval_task": {}, "retry_policy": {}}),
        [("/tasks/0/retry_policy", "retry")],
    ),
    ("twice", job(noop("a"), noop("a")), [("/tasks/1/task_key", "duplicate_key")]),
    (
        "edge twice",
        job(noop("a"), noop("b", "a", "a")),
        [("/tasks/1/depends_on/1", "duplicate_edge")],
    ),
    (
        "missing upstream",
        job(noop("extract"), noop("b", "extrakt")),
        [("/tasks/1/depends_on/0/task_key", "unknown_task")],
    ),
    (
        "unknown operation",
        job(operation("a", "racine.nop", {})),
        [("/tasks/0/operation_task/operation", "unknown_operation")],
    ),
    (
        "bad operation input",
        job(operation("a", "scan_logic.scan", {"nonsense": 1})),
        [
            ("/tasks/0/operation_task/input/scan_id", "missing"),
            ("/tasks/0/operation_task/input/nonsense", "extra_forbidden"),
        ],
    ),
    (
        "outcome of no condition",
        job(
            noop("a"),
            {
                "task_key": "b",
                "noop_task": {},
                "depends_on": [{"task_key": "a", "outcome": "true"}],
            },
        ),
        [("/tasks/1/depends_on/0/outcome", "outcome_of_no_condition")],
    ),
    (
        "unknown outcome",
        job(
            {"task_key": "a", "condition_task": {"expression": "true"}},
            {
                "task_key": "b",
                "noop_task": {},
                "depends_on": [{"task_key": "a", "outcome": "yes"}],
            },
        ),
        [("/tasks/1/depends_on/0/outcome", "unknown_outcome")],
    ),
    (
        "callable",
        job({"task_key": "a", "python_task": {"callable": "pkg.class:f"}}),
        [("/tasks/0/python_task/callable", "callable")],
    ),
    (
        "retry bounds",
        job(
            {
                **operation("a", "racine.noop", {}),
                "retry_policy": {"initial_interval_seconds": 9, "maximum_interval_seconds": 1},
                "heartbeat_timeout_seconds": 20,
                "start_to_close_timeout_seconds": 10,
            }
        ),
        [
            ("/tasks/0/retry_policy/maximum_interval_seconds", "retry_policy"),
            ("/tasks/0/heartbeat_timeout_seconds", "timeout"),
        ],
    ),
    (
        "outputs that are no schema",
        job(noop("a", outputs={"type": "nope"})),
        [("/tasks/0/outputs", "schema")],
    ),
    (
        "remote schema",
        job(noop("a", outputs={"$ref": "http://127.0.0.1:1/x"})),
        [("/tasks/0/outputs", "schema")],
    ),
    (
        "parameters",
        job(
            noop("a"),
            parameters=[
                {"name": "n", "default": "x", "schema": {"type": "integer"}},
                {"name": "n"},
            ],
        ),
        [("/parameters/0/default", "type"), ("/parameters/1/name", "duplicate_parameter")],
    ),
    (
        "half a template",
        job(operation("a", "racine.noop", {"value": "{{ params.n"})),
        [("/tasks/0", "broken_template")],
    ),
    (
        "syntax",
        job({"task_key": "a", "condition_task": {"expression": "1 +"}}),
        [("/tasks/0/condition_task/expression", "expression")],
    ),
    ("outputs", job(noop("a"), outputs={"x": "{{ tasks.b.values.y }}"}),
     [("/outputs/x", "unknown_task")]),
    ("form", job(noop("a", retry={}), noop("b", "nope")),
     [("/tasks/0/retry", "extra_forbidden"), ("/tasks/1/depends_on/0/task_key", "unknown_task")]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "document", "expected"), CASES, ids=[case[0] for case in CASES])
def test_a_fault_is_told_at_its_place(
    name: str, document: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert faults(document) == expected


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("tasks.scan.values.rows", None),
        ("params.source", None),
        ("run.id", None),
        ("tasks.scan.values.rwos", "undeclared_output"),
        ("tasks.scan.vlues", "unknown_name"),
        ("tasks.later.state", "not_upstream"),
        ("tasks.sacn.state", "unknown_task"),
        ("tasks[params.source].state", "unnamed_task"),
        ("params.sauce", "unknown_name"),
        ("run.when", "unknown_name"),
        ("item", "unknown_name"),
        ("[1].map(params, params)[0]", None),
    ],
)
def test_a_reference_is_checked_when_saved(expression: str, code: str | None) -> None:
    document = job(
        operation("scan", "scan_logic.scan", {"scan_id": "x"}),
        operation("use", "racine.noop", {"value": "{{ " + expression + " }}"}, "scan"),
        noop("later", "use"),
        parameters=[{"name": "source"}],
    )
    expected = [("/tasks/1/operation_task/input/value", code)] if code else []
    assert faults(document) == expected


def test_a_cycle_is_named_with_the_edge_to_cut() -> None:
    report = examine(job(noop("a", "c"), noop("b", "a"), noop("c", "b"), noop("d", "c")))
    (fault,) = report.faults
    assert fault.pointer == "/tasks/0/depends_on/0"
    assert "a → b → c → a" in fault.message
    assert "remove 'c' from the depends_on of 'a'" in fault.next_step


def test_every_cycle_of_a_knot_is_told_at_once() -> None:
    knot = job(noop("a", "b", "c"), noop("b", "a", "c"), noop("c", "a", "b"))
    report = examine(knot)
    assert report.faults
    for fault in report.faults:
        task, edge = fault.pointer.removeprefix("/tasks/").split("/depends_on/")
        knot["tasks"][int(task)]["depends_on"][int(edge)] = None
    for task in knot["tasks"]:
        task["depends_on"] = [edge for edge in task["depends_on"] if edge]
    assert faults(knot) == []


def test_values_that_may_be_missing_are_hinted_at() -> None:
    scan = operation("scan", "scan_logic.scan", {"scan_id": "x"})
    tell = operation("tell", "racine.noop", {"value": "{{ tasks.scan.values.rows }}"}, "scan")
    lenient = examine(job(scan, {**tell, "run_if": "ALL_DONE"}))
    assert [hint.code for hint in lenient.hints] == ["has"]
    assert examine(job(scan, tell)).hints == []
    guarded = "{{ has(tasks.scan.values.rows) ? tasks.scan.values.rows : 0 }}"
    tell["operation_task"]["input"]["value"] = guarded
    assert examine(job(scan, {**tell, "run_if": "ALL_DONE"})).hints == []


def test_validate_raises_with_all_faults() -> None:
    with pytest.raises(InvalidInput, match="2 faults") as caught:
        validate(job({"task_key": "a"}, noop("b", "nope")))
    assert len(caught.value.faults) == 2
    assert validate(job(noop("a"))).tasks[0].task_key == "a"


@pytest.mark.parametrize("document", [{}, {"tasks": 3, "name": "x"}, job("a"), job(None)])  # type: ignore[arg-type]
def test_what_is_no_job_at_all_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        validate(document)


def test_too_large_is_told_before_anything_is_parsed() -> None:
    found = faults(job(*[noop(f"t{n}") for n in range(10_001)]))
    assert found == [("/tasks", "too_large")]
    assert faults(job(noop("a", description="x" * (8 * 1024 * 1024)))) == [("", "too_large")]


def test_the_published_schema_takes_what_validation_takes() -> None:
    schema = job_schema()
    json.dumps(schema)
    good = job(noop("a"), operation("b", "racine.noop", {"value": 1}, "a"))
    assert jsonschema_rs.is_valid(schema, good)
    assert not jsonschema_rs.is_valid(schema, job({"task_key": "a"}))
    assert not jsonschema_rs.is_valid(schema, job({**noop("a"), "python_task": {}}))


def layered(tasks: int, edges_each: int) -> dict[str, Any]:
    return job(
        *[
            noop(f"t{n}", *[f"t{n - back}" for back in range(1, min(n, edges_each) + 1)])
            for n in range(tasks)
        ]
    )


def _calls(document: dict[str, Any]) -> int:
    count = 0

    def profile(frame: Any, event: str, arg: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(profile)
    try:
        assert examine(document).faults == []
    finally:
        sys.setprofile(None)
    return count


def test_work_grows_with_the_graph_and_no_faster() -> None:
    small, large = _calls(layered(500, 10)), _calls(layered(2000, 10))
    assert large < 4.3 * small


def test_a_large_graph_fits_in_memory() -> None:
    document = layered(5000, 10)
    tracemalloc.start()
    try:
        assert examine(document).faults == []
        assert tracemalloc.get_traced_memory()[1] < 200 * 2**20
    finally:
        tracemalloc.stop()
