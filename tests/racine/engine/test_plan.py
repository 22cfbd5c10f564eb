"""What a plan says of the jobs that it was compiled from."""

from typing import Any

from racine.definitions.validation import validate
from racine.engine.plan import compile_plan


def echo(key: str, value: str) -> dict[str, Any]:
    return {"task_key": key, "operation_task": {"operation": "racine.noop",
                                                "input": {"value": value}}}  # fmt: skip


def test_a_loops_body_names_the_parameters_that_its_passes_read() -> None:
    inner = {"inputs": "{{ params.columns }}", "tasks": [echo("b", "{{ params.rate }}")]}
    outer = {
        "inputs": "{{ params.tables }}",
        "tasks": [{"task_key": "a", "for_each_task": inner}],
        "collect": "{{ params.label }}",
    }
    names = ("tables", "columns", "rate", "label", "other")
    document = {
        "name": "loops", "parameters": [{"name": name} for name in names],
        "tasks": [{"task_key": "each", "for_each_task": outer}],
    }  # fmt: skip
    (each,) = compile_plan(validate(document)).steps
    assert each.body is not None
    assert each.body.params == ["columns", "label", "rate"]
    assert each.body.steps[0].body is not None
    assert each.body.steps[0].body.params == ["rate"]
