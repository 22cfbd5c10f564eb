"""Loops that go on while a condition holds, items by name, and what iterations give."""

from typing import Any

import pytest
from temporalio.client import WorkflowFailureError

from tests.temporal.conftest import Stack
from tests.temporal.test_carrying import begin, continued
from tests.temporal.test_loops import echo, error_of, failing, loop, play, succeeded


def rounds(key: str, condition: str, *tasks: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"task_key": key, "while_task": {"condition": condition, "tasks": list(tasks), **more}}


def test_a_loop_goes_on_while_its_condition_holds(stack: Stack) -> None:
    task = rounds(
        "poll", "tasks.b.values.value < params.goal", echo("a", "{{ iteration }}"),
        echo("b", "{{ tasks.a.values.value * 10 }}", "a"),
        collect="{{ tasks.b.values.value }}", delay_seconds=0.01,
    )  # fmt: skip
    document = {
        "parameters": [{"name": "goal"}],
        "tasks": [task],
        "outputs": {
            "last": "{{ tasks.poll.values.result }}",
            "n": "{{ tasks.poll.values.iterations }}",
        },
    }
    run_id, outputs = play(stack, document, goal=30)
    assert outputs == {"last": 30, "n": 4}
    done = [key for key in succeeded(stack, run_id) if key.endswith(".b")]
    assert done == [f"poll[{n}].b" for n in range(4)]


def test_a_condition_that_always_holds_ends_by_the_number_of_iterations(stack: Stack) -> None:
    def document(then: str) -> dict[str, Any]:
        task = rounds("poll", "true", echo("a", 1), max_iterations=3, on_exhausted=then)
        return {"tasks": [task], "outputs": {"values": "{{ tasks.poll.values }}"}}

    _, outputs = play(stack, document("CONTINUE"))
    assert outputs == {"values": {"iterations": 3, "exhausted": True}}
    run_id = stack.start(stack.save({"name": "strict", **document("FAIL")}))
    with pytest.raises(WorkflowFailureError):
        stack.result(run_id)
    assert error_of(stack, run_id)["code"] == "max_iterations"


def test_a_failing_iteration_fails_the_task(stack: Stack) -> None:
    task = rounds("poll", "true", failing("x", "iteration == 2"))
    run_id = stack.start(stack.save({"name": "bad", "tasks": [task]}))
    with pytest.raises(WorkflowFailureError):
        stack.result(run_id)
    assert error_of(stack, run_id)["message"].startswith("poll: poll[2].x: ")


def test_rounds_know_no_end_of_history(impatient: Stack) -> None:
    task = rounds("poll", "iteration < 59", echo("a", "{{ iteration }}"), collect="{{ iteration }}")
    inner = rounds("inner", "iteration < 20", echo("b", "{{ table * 100 + iteration }}"))
    each = loop("each", [1, 2], inner, item="table", collect="{{ tasks.inner.values.iterations }}")
    outputs = {"n": "{{ tasks.poll.values.result }}", "each": "{{ tasks.each.values.results }}"}
    document = {"tasks": [task, each], "outputs": outputs}
    run_id, handle = begin(impatient, "rounds", document)
    assert impatient.result(run_id).outputs == {"n": 59, "each": [21, 21]}
    assert continued(impatient, handle)
    done = succeeded(impatient, run_id)
    assert [key for key in done if key.endswith(".a")] == [f"poll[{n}].a" for n in range(60)]
    assert len([key for key in done if key.endswith(".b")]) == 42


def test_a_loop_collects_what_its_iterations_give_in_order(stack: Stack) -> None:
    body = failing("x", "table == 'bad'"), echo("y", "{{ table + '!' }}", "x")
    each = loop(
        "each", ["a", "bad", "c"], *body, item="table", max_failed_percent=50,
        collect="{{ {'name': tasks.y.values.value, 'at': item_index} }}",
    )  # fmt: skip
    nested = loop(
        "nested", [1, 2], loop("inner", [10, 20], echo("z", "{{ one * ten }}"), item="ten",
                               collect="{{ tasks.z.values.value }}"),
        item="one", collect="{{ tasks.inner.values.results }}",
    )  # fmt: skip
    outputs = {
        "each": "{{ tasks.each.values.results }}",
        "nested": "{{ tasks.nested.values.results }}",
    }
    _, found = play(stack, {"tasks": [each, nested], "outputs": outputs})
    assert found["each"] == [{"name": "a!", "at": 0}, None, {"name": "c!", "at": 2}]
    assert found["nested"] == [[10, 20], [20, 40]]


def test_large_results_travel_by_reference_and_feed_the_next_loop(stack: Stack) -> None:
    first = loop("first", "{{ params.n }}", echo("x", "{{ item }}"), concurrency=50,
                 collect="{{ {'n': tasks.x.values.value, 'text': params.pad} }}")  # fmt: skip
    second = {
        **loop("second", "{{ tasks.first.values.results }}", echo("y", "{{ item[0].n }}"),
               batch_size=100, collect="{{ tasks.y.values.value }}"),
        "depends_on": [{"task_key": "first"}],
    }  # fmt: skip
    document = {
        "parameters": [{"name": "n"}, {"name": "pad"}],
        "tasks": [first, second],
        "outputs": {"firsts": "{{ tasks.second.values.results }}"},
    }
    _, outputs = play(stack, document, n=list(range(500)), pad="x" * 500)
    assert outputs == {"firsts": [0, 100, 200, 300, 400]}
