"""Changes to what a run goes by: its parameters, and the input of tasks that have not begun."""

import copy
from typing import Any

from sqlalchemy.orm import Session

from models.stores import jobs
from models.stores.runs import Run
from racine.definitions import parameters, validation
from racine.definitions.document import JobDocument
from racine.engine.plan import Plan, compile_plan
from racine.errors import Fault, InvalidInput
from services import access
from services.access import Actor

_GIVEN = {"operation_task": "input", "python_task": "parameters"}
"""Kinds of tasks whose input can be changed, and the field that holds it."""


def checked(session: Session, actor: Actor, run: Run, wish: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of an order to change something, checked against schemas.

    `wish` holds `parameters` of the run, or `task_key` and `input`. Raises InvalidInput.
    """
    version = jobs.get_version(session, run.job_id, run.job_version)
    if "task_key" not in wish:
        document = JobDocument.model_validate(version.document)
        parameters.bind(document.parameters, run.parameters | wish["parameters"])
        return {"parameters": wish["parameters"]}
    changed = _with_input(version.document, wish["task_key"], wish["input"])
    document = validation.validate(changed)
    access.require_operations(session, actor, document)
    return _step(compile_plan(document), wish["task_key"])


def _with_input(document: dict[str, Any], key: str, given: dict[str, Any]) -> dict[str, Any]:
    changed = copy.deepcopy(document)
    for task in changed["tasks"]:
        for kind, field in _GIVEN.items():
            if task["task_key"] == key and task.get(kind) is not None:
                task[kind][field] = given
                return changed
    fault = Fault("/task_key", f"{key!r} is no task of the job that takes an input.",
                  f"Only a job's own {' and '.join(_GIVEN)} do.", "task_key")  # fmt: skip
    raise InvalidInput("The input cannot be changed.", faults=[fault])


def _step(plan: Plan, key: str) -> dict[str, Any]:
    """Return a step without its places, which are those of the run's own plan."""
    step = next(step for step in plan.steps if step.key == key)
    reads = {plan.steps[number].key: fields for number, fields in step.reads}
    bare = step.model_copy(update={"upstream": [], "downstream": [], "reads": []})
    return {"step": bare.model_dump(mode="json"), "reads": reads}
