"""What carries out each kind of task: a kind is a field of the document's `Task` and a line here.

A handler runs one step to its end. It returns failure as a result, or raises a RacineError, and
tells the level of every end that no activity has written down (`level.told`). Where it may wait
for long, it waits for `level.flow.drained` too, leaves in `flow.left` what it holds, and returns
None: the run continues as new, and the handler begins again with `flow.recall`.
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from racine.engine.plan import Step
    from racine.engine.states import TaskResult
    from workflows.kinds import decisions, effects, jobs, rounds, waits, work
    from workflows.loops import for_each

if TYPE_CHECKING:
    from workflows.steps import Level

Handler = Callable[["Level", Step], Awaitable[TaskResult | None]]

HANDLERS: dict[str, Handler] = {
    "operation_task": work.operation,
    "python_task": work.python,
    "condition_task": decisions.condition,
    "switch_task": decisions.switch,
    "for_each_task": for_each,
    "while_task": rounds.while_,
    "wait_task": waits.wait,
    "approval_task": waits.approval,
    "run_job_task": jobs.run_job,
    "noop_task": decisions.noop,
    "sql_task": effects.sql,
    "http_task": effects.http,
    "quality_task": effects.quality,
    "notify_task": effects.notify,
}
