"""Python that is generated from documents: it runs, and makes the same documents again."""

from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, assume, given, settings
from pydantic import BaseModel

import racine
from racine import templates
from racine.definitions import document as parts
from racine.definitions.diff import diff
from racine.definitions.document import JobDocument
from racine.definitions.validation import examine, validate
from racine.sdk.generated import python_of
from racine.sdk.job import JobDefinition
from tests.racine.sdk.documents import FIELDS, documents

CALM = settings(max_examples=60, suppress_health_check=list(HealthCheck))


def compiled(source: str) -> JobDocument:
    """Run generated source and return the document that its job makes."""
    names: dict[str, Any] = {"__name__": "generated"}
    exec(compile(source, "generated.py", "exec"), names)
    (job,) = [value for value in names.values() if isinstance(value, JobDefinition)]
    return job.typed


def said(value: Any) -> Any:
    """A written document without what goes without saying."""
    if isinstance(value, list):
        return [said(item) for item in value]
    if not isinstance(value, BaseModel):
        return value
    found = {name: getattr(value, name) for name in value.model_fields_set - {"spec_version"}}
    return {name: said(item) for name, item in found.items() if not _needless(value, name, item)}


def _needless(part: BaseModel, name: str, item: Any) -> bool:
    default = type(part).model_fields[name].get_default(call_default_factory=True)
    return item is None or (item in ({}, [], "") and item == default)


@CALM
@given(documents())
def test_any_document_comes_back_from_its_python(document: dict[str, Any]) -> None:
    assume(not examine(document).faults)
    typed = validate(document)
    source = python_of(typed)
    again = compiled(source)
    assert said(again) == said(typed), source
    assert diff(typed, again) == []
    assert python_of(again) == source


def reachable(part: type[BaseModel]) -> set[type[parts.Part]]:
    found: set[type[parts.Part]] = set()
    waiting: list[Any] = [part]
    while waiting:
        kind = waiting.pop()
        if isinstance(kind, type) and issubclass(kind, parts.Part) and kind not in found:
            found.add(kind)
            waiting += [info.annotation for info in kind.model_fields.values()]
        waiting += get_args(kind)
    return found


def test_random_documents_draw_every_field_of_every_part() -> None:
    assert {kind: set(fields) for kind, fields in FIELDS.items()} == {
        kind: set(kind.model_fields) for kind in reachable(JobDocument)
    }


def test_every_part_can_be_named_by_users() -> None:
    for kind in reachable(JobDocument) - {parts.Task, JobDocument}:
        assert getattr(racine, kind.__name__) is kind
        assert kind.__name__ in racine.__all__


SOURCE: dict[str, Any] = {
    "name": "orders",
    "parameters": [{"name": "day", "schema": {"type": "string"}}],
    "tasks": [
        {"task_key": "extract", "retry_policy": {"maximum_attempts": 3},
         "python_task": {"callable": "shop:extract", "parameters": {"day": "{{ params.day }}"}}},
        {"task_key": "any", "depends_on": [{"task_key": "extract"}],
         "condition_task": {"expression": "tasks.extract.values.rows > 0"}},
        {"task_key": "each", "depends_on": [{"task_key": "any", "outcome": "true"}],
         "for_each_task": {"inputs": "{{ tasks.extract.values.tables }}", "concurrency": 3,
                           "tasks": [{"task_key": "clean", "python_task": {
                                          "callable": "shop:clean",
                                          "parameters": {"t": "{{ item }}"}}},
                                     {"task_key": "check", "depends_on": [{"task_key": "clean"}],
                                      "noop_task": {}}]}},
    ],
    "on_failure": [{"task_key": "tell", "operation_task": {"operation": "racine.notify", "input":
                    {"subject": "{{ tasks.extract.state }}"}}}],
    "outputs": {"rows": "{{ tasks.extract.values.rows }}"},
}  # fmt: skip


def test_one_edit_in_the_text_changes_one_field() -> None:
    typed = validate(SOURCE)
    source = python_of(typed)
    assert source.count("maximum_attempts=3") == 1
    (change,) = diff(typed, compiled(source.replace("maximum_attempts=3", "maximum_attempts=7")))
    assert (change.task, change.field, change.old, change.new) == (
        "extract", "retry_policy/maximum_attempts", 3, 7,
    )  # fmt: skip


def test_the_text_has_one_call_a_task_and_no_document() -> None:
    source = python_of(validate(SOURCE))
    assert source.count(".task(") == 6
    assert "task_key" not in source
    assert "_task" not in source
    assert 'extract.values["tables"]' in source
    assert 'depends_on=[any.when("true")]' in source
    assert 'day": job.parameter("day")' in source
    assert max(map(len, source.splitlines())) <= 100


@pytest.mark.parametrize("name", templates.names())
def test_what_ships_comes_back(name: str) -> None:
    typed = validate(templates.load(name))
    assert said(compiled(python_of(typed))) == said(typed)
