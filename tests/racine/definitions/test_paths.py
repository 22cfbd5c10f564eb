"""What a graph says before it runs: needless edges, dead tasks, the longest way."""

from typing import Any

import pytest

from racine.definitions.paths import estimate
from racine.definitions.resources import ResourceDependency, resource_dependencies
from racine.definitions.validation import examine, validate


def task(key: str, *upstream: str, **more: Any) -> dict[str, Any]:
    kind: dict[str, Any] = {"noop_task": {}}
    if any(name.endswith("_task") for name in more):
        kind = {}
    return {"task_key": key, "depends_on": [{"task_key": up} for up in upstream], **kind, **more}


def job(*tasks: dict[str, Any], name: str = "j") -> dict[str, Any]:
    return {"name": name, "tasks": list(tasks)}


def hints(*tasks: dict[str, Any]) -> list[tuple[str, str]]:
    report = examine(job(*tasks))
    assert report.faults == []
    return [(hint.code, hint.pointer) for hint in report.hints]


def test_an_edge_that_others_make_needless_is_told() -> None:
    chain = [task("a"), task("b", "a"), task("c", "b")]
    assert hints(*chain, task("d", "a", "c")) == [("redundant_edge", "/tasks/3/depends_on/0")]
    assert hints(*chain, task("d", "b"), task("e", "c", "d")) == []


LENIENT: list[dict[str, Any]] = [
    {"run_if": "ALL_DONE"},
    {"condition": "run.id != ''"},
    {"disabled": True},
    {"join": "any"},
]


@pytest.mark.parametrize("more", LENIENT)
def test_an_edge_round_a_task_that_may_be_left_out_decides_something(more: dict[str, Any]) -> None:
    assert ("redundant_edge", "/tasks/2/depends_on/0") not in hints(
        task("a"), task("b", "a", **more), task("c", "a", "b")
    )


def test_a_task_that_can_never_run_is_told() -> None:
    gate = task("gate", condition_task={"expression": "true"})
    both = task("both")
    both["depends_on"] = [{"task_key": "gate", "outcome": name} for name in ("true", "false")]
    found = hints(gate, both, task("after", "both"), task("off", disabled=True),
                  task("behind", "off"), task("done", "both", run_if="ALL_DONE"),
                  task("no", condition="false"))  # fmt: skip
    assert found == [("unreachable", f"/tasks/{n}") for n in (1, 2, 4, 6)]


def test_the_longest_way_and_the_slack_of_all_others() -> None:
    body = [task("one"), task("two", "one")]
    loop = task("loop", "b", for_each_task={"inputs": [1, 2, 3], "concurrency": 2, "tasks": body})
    document = validate(job(task("a"), task("b", "a", wait_task={"duration_seconds": 60}),
                            task("c", "a"), loop, task("end", "loop", "c")))  # fmt: skip
    found = estimate(document, {"a": 10, "c": 30})
    assert (found.critical, found.seconds) == (["a", "b", "loop", "end"], 10 + 60 + 4 + 1)
    assert {key: (e.begins, e.seconds, e.slack, e.measured) for key, e in found.tasks.items()} == {
        "a": (0, 10, 0, True), "b": (10, 60, 0, False), "c": (10, 30, 34, True),
        "loop": (70, 4, 0, False), "end": (74, 1, 0, False),
    }  # fmt: skip


def test_what_one_job_writes_and_another_reads_ties_them() -> None:
    load = validate(job(task("load", outlets=["crm.orders"], inlets=["raw"]), name="load"))
    each = {"inputs": [1], "tasks": [task("inner", inlets=["crm.orders"])]}
    use = validate(job(task("use", for_each_task=each), task("own", outlets=["raw"]), name="use"))
    assert resource_dependencies([load, use]) == [
        ResourceDependency("crm.orders", "load", "load", "use", "inner"),
        ResourceDependency("raw", "use", "own", "load", "load"),
    ]
    alone = validate(job(task("a", outlets=["x"]), task("b", "a", inlets=["x"])))
    assert resource_dependencies([alone]) == []


def test_graphs_with_two_starts_or_a_task_apart_are_sound() -> None:
    assert hints(task("a"), task("b"), task("c", "a"), task("alone")) == []
