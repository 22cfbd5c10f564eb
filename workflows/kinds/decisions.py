"""Tasks that the interpreter decides itself."""

from typing import TYPE_CHECKING

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from racine import expressions
    from racine.engine.plan import Step
    from racine.engine.states import TaskResult, TaskState

if TYPE_CHECKING:
    from workflows.steps import Level


async def condition(level: "Level", step: Step) -> TaskResult:
    taken = expressions.is_true(step.spec["expression"], level.names_of(step))
    return _decided(level, step, "true" if taken else "false")


async def switch(level: "Level", step: Step) -> TaskResult:
    value = expressions.resolve(step.spec["on"], level.names_of(step))
    outcome = expressions.as_text(value)
    if outcome not in step.spec["cases"]:
        outcome = step.spec["default"] or ""
    return _decided(level, step, outcome)


async def noop(level: "Level", step: Step) -> TaskResult:
    level.flow.begin(level.path(step))
    return level.told(step, TaskResult(TaskState.SUCCEEDED, {}))


def _decided(level: "Level", step: Step, outcome: str) -> TaskResult:
    level.flow.begin(level.path(step))
    return level.told(step, TaskResult(TaskState.SUCCEEDED, {"outcome": outcome}, outcome))
