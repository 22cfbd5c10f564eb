"""Checks a job document as a whole and tells all its faults at once.

`validate` is what saving asks; `examine` also gives hints, which forbid nothing.
"""

import gc
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ValidationError

from racine.definitions.document import JobDocument, Parameter, Task
from racine.definitions.graph import did_you_mean, graph_faults
from racine.definitions.health import health_faults
from racine.definitions.limits import limit_faults
from racine.definitions.paths import graph_hints
from racine.definitions.references import Names, expression_faults, reference_faults, result_faults
from racine.definitions.schemas import mismatches, pointer_of, schema_fault
from racine.definitions.scope import Placed, Scope, bodies_of, scope_of
from racine.definitions.tasks import retry_faults, task_faults
from racine.definitions.types import Declared
from racine.errors import Fault, InvalidInput
from racine.expressions import located_templates, templates_in

MAX_TASKS = 10_000
MAX_EDGES = 100_000
MAX_BYTES = 8 * 1024 * 1024
SCHEMA_ID = "urn:racine:schema:job:1"
_SEE_SCHEMA = "GET /api/racine/schema/job.json tells what may stand here."


@dataclass
class Report:
    """What an examination found; the document is there when it can be run."""

    document: JobDocument | None = None
    faults: list[Fault] = field(default_factory=list)
    hints: list[Fault] = field(default_factory=list)


def validate(document: dict[str, Any]) -> JobDocument:
    """Return the typed document; raise InvalidInput with every fault, its pointer and way out."""
    report = examine(document)
    if report.document is None or report.faults:
        count = len(report.faults)
        raise InvalidInput(
            f"The job document has {count} fault{'s' if count > 1 else ''}.",
            next_step=f"First: {report.faults[0].message} {report.faults[0].next_step}".strip(),
            faults=report.faults,
        )
    return report.document


def examine(document: dict[str, Any]) -> Report:
    """Return every fault and hint of a job document, in linear time."""
    with _uncollected():
        return _examine(document)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep Python from looking for garbage: of 200,000 new objects that stay it finds none, and
    takes as long to see that as all the rest takes."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _examine(document: dict[str, Any]) -> Report:
    too_large = list(_size_faults(document))
    if too_large:
        return Report(faults=too_large)
    try:
        parsed = JobDocument.model_validate(document)
    except ValidationError as error:
        return _examine_broken(document, error)
    placed = [Placed(task, f"/tasks/{n}") for n, task in enumerate(parsed.tasks)]
    report = Report(parsed)
    _examine_tasks(report, parsed, scope_of(placed))
    return report


def job_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the job document."""
    schema = JobDocument.model_json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        **schema,
    }


def _size_faults(document: dict[str, Any]) -> Iterator[Fault]:
    tasks, edges = _count(document.get("tasks"))
    split = "Split the job and join the parts with run_job_task."
    if tasks > MAX_TASKS:
        yield Fault("/tasks", f"A job has at most {MAX_TASKS} tasks, not {tasks}.", split,
                    "too_large")  # fmt: skip
    if edges > MAX_EDGES:
        yield Fault("/tasks", f"A job has at most {MAX_EDGES} edges, not {edges}.", split,
                    "too_large")  # fmt: skip
    size = len(json.dumps(document))
    if size > MAX_BYTES:
        yield Fault("", f"A job document has at most {MAX_BYTES} bytes, not {size}.",
                    "Keep data out of the document; refer to it.", "too_large")  # fmt: skip


def _count(tasks: Any) -> tuple[int, int]:
    """Return how many tasks and edges a raw list of tasks holds, those in loops too."""
    if not isinstance(tasks, list):
        return 0, 0
    count, edges = len(tasks), 0
    for task in tasks:
        if not isinstance(task, dict):
            continue
        upstream = task.get("depends_on")
        edges += len(upstream) if isinstance(upstream, list) else 0
        loops = [part.get("tasks") for part in task.values() if isinstance(part, dict)]
        for body in (*loops, task.get("compensate_with")):
            inner_count, inner_edges = _count(body)
            count, edges = count + inner_count, edges + inner_edges
    return count, edges


def _examine_broken(document: dict[str, Any], error: ValidationError) -> Report:
    """Tell the faults of form, and those of meaning in the tasks that do parse."""
    report = Report(faults=[_form_fault(e) for e in error.errors(include_url=False)])
    tasks = document.get("tasks")
    placed: list[Placed] = []
    broken: list[str] = []
    for number, item in enumerate(tasks if isinstance(tasks, list) else []):
        try:
            placed.append(Placed(Task.model_validate(item), f"/tasks/{number}"))
        except ValidationError:
            broken.append(str(item.get("task_key", "")) if isinstance(item, dict) else "")
    wrong = {str(e["loc"][0]) for e in error.errors(include_url=False) if e["loc"]}
    sound = {name: part for name, part in document.items() if name not in wrong - {"parameters"}}
    try:
        rest = JobDocument.model_validate({"name": "job", **sound, "tasks": [{"task_key": "a"}]})
    except ValidationError:
        # Without its parameters, references to them could not be told from mistakes.
        return report
    _examine_tasks(report, rest, scope_of(placed, frozenset(broken)))
    return report


def _form_fault(error: Any) -> Fault:
    path: Sequence[str | int] = error["loc"]
    next_step = _SEE_SCHEMA
    if error["type"] == "extra_forbidden":
        next_step = did_you_mean(str(path[-1]), _field_names())
    elif error["type"] == "missing":
        next_step = f"Give {str(path[-1])!r}."
    return Fault(pointer_of(path), f"{error['msg']}.", next_step, error["type"])


def _field_names() -> list[str]:
    models: list[type[BaseModel]] = [JobDocument, Task, Parameter]
    return list(dict.fromkeys(name for model in models for name in model.model_fields))


def _examine_tasks(report: Report, document: JobDocument, scope: Scope) -> None:
    declared = Declared({parameter.name: parameter for parameter in document.parameters})
    names = Names(scope, declared, report.hints)
    faults = report.faults
    faults += _parameter_faults(document)
    faults += limit_faults(document)
    faults += health_faults(document)
    faults += retry_faults(document.defaults.retry_policy, "/defaults/retry_policy")
    _examine_level(report, document, names)
    for part, tasks in (("on_failure", document.on_failure), ("finally", document.finally_)):
        after = scope_of([Placed(task, f"/{part}/{n}") for n, task in enumerate(tasks)])
        after.outer, after.taken = scope, scope.taken
        _examine_level(report, document, names.within(after))
    for pointer, expression in located_templates(document.outputs, "/outputs"):
        faults += expression_faults(names, expression, pointer, None)
    faults += declared.faults()


def _examine_level(report: Report, document: JobDocument, names: Names) -> None:
    """Examine the tasks of one level, then those in the bodies of its loops."""
    scope, faults = names.scope, report.faults
    wrong = list(graph_faults(scope))
    faults += wrong
    if not wrong:
        report.hints += graph_hints(scope)
    for placed in scope.tasks:
        faults += task_faults(placed, document.defaults)
        faults += reference_faults(names, placed)
    for placed in scope.tasks:
        for body in bodies_of(scope, placed):
            inside = names.within(body)
            _examine_level(report, document, inside)
            faults += result_faults(inside, placed)


def _parameter_faults(document: JobDocument) -> Iterator[Fault]:
    seen: set[str] = set()
    for number, parameter in enumerate(document.parameters):
        pointer = f"/parameters/{number}"
        if parameter.name in seen:
            yield Fault(f"{pointer}/name", f"The parameter {parameter.name!r} stands twice.",
                        "Remove one.", "duplicate_parameter")  # fmt: skip
        seen.add(parameter.name)
        if fault := schema_fault(parameter.json_schema):
            yield Fault(f"{pointer}/schema", f"This is not a usable JSON Schema: {fault}.",
                        "See json-schema.org, draft 2020-12.", "schema")  # fmt: skip
        elif parameter.default is not None and not templates_in(parameter.default):
            yield from mismatches(parameter.json_schema, parameter.default, f"{pointer}/default")
