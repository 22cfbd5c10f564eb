"""Tasks that one activity carries out."""

from typing import TYPE_CHECKING

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.names import PYTHON
    from models.messages import PythonCall, TaskCall
    from racine.engine.plan import Step
    from racine.engine.states import TaskResult
    from workflows.attempts import attempt, call_of

if TYPE_CHECKING:
    from workflows.steps import Level


async def operation(level: "Level", step: Step) -> TaskResult:
    call = TaskCall(**call_of(level, step, step.spec["input"]))
    return await attempt(level, step, step.spec["operation"], call)


async def python(level: "Level", step: Step) -> TaskResult:
    given = call_of(level, step, step.spec["parameters"])
    call = PythonCall(**given, callable=step.spec["callable"], bundle=level.plan.bundle)
    return await attempt(level, step, PYTHON, call)
