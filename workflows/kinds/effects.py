"""Tasks that reach outside: statements, requests, gates, notifications."""

from typing import TYPE_CHECKING

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.names import HTTP, NOTIFY, QUALITY, SQL
    from models.messages import TaskCall
    from racine.engine.plan import Step
    from racine.engine.states import TaskResult, TaskState
    from workflows.attempts import attempt, call_of

if TYPE_CHECKING:
    from workflows.steps import Level


async def sql(level: "Level", step: Step) -> TaskResult:
    return await _given_whole(level, step, SQL)


async def http(level: "Level", step: Step) -> TaskResult:
    return await _given_whole(level, step, HTTP)


async def notify(level: "Level", step: Step) -> TaskResult:
    return await _given_whole(level, step, NOTIFY)


async def quality(level: "Level", step: Step) -> TaskResult:
    result = await _given_whole(level, step, QUALITY)
    if result.state is not TaskState.SUCCEEDED:
        return result
    outcome = str((result.values or {})["outcome"])
    return TaskResult(result.state, result.values, outcome, ref=result.ref)


async def _given_whole(level: "Level", step: Step, name: str) -> TaskResult:
    """Give an activity all that the document says of the task."""
    return await attempt(level, step, name, TaskCall(**call_of(level, step, step.spec)))
