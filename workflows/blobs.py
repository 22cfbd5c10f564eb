"""What a workflow keeps in blobs, and reads from them, by activities of the run's own."""

from datetime import timedelta
from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.names import ACTIVITY_QUEUE, COLLECT, OWN, SLICE
    from models.messages import CollectCall, Results, RunContext, SliceCall

ACTIVITY_SECONDS = timedelta(seconds=120)
"""Time limit of what the interpreter itself has read or kept."""


async def collected(
    context: RunContext, parts: list[Results], name: str, total: int | None = None
) -> Results:
    """Keep results in a blob; `name` tells the activity from others of the workflow."""
    found: Results = await workflow.execute_activity(
        COLLECT, CollectCall(context=context, parts=parts, total=total),
        activity_id=f"{OWN}{name}", task_queue=ACTIVITY_QUEUE, result_type=Results,
        start_to_close_timeout=ACTIVITY_SECONDS,
    )  # fmt: skip
    return found


async def sliced(context: RunContext, ref: str, start: int, count: int, name: str) -> list[Any]:
    """Read so many items of a blob; `name` tells the activity from others of the workflow."""
    found: list[Any] = await workflow.execute_activity(
        SLICE, SliceCall(context=context, ref=ref, start=start, count=count),
        activity_id=f"{OWN}{name}", task_queue=ACTIVITY_QUEUE, result_type=list,
        start_to_close_timeout=ACTIVITY_SECONDS,
    )  # fmt: skip
    return found
