"""Names on the wire that workflows need: importable without any effect."""

WORKFLOW_QUEUE = "racine-wf"
ACTIVITY_QUEUE = "racine-io"


def queue_named(name: str | None) -> str:
    """Return Temporal's task queue behind a task's `task_queue`; None is everybody's."""
    return ACTIVITY_QUEUE if name is None else f"{ACTIVITY_QUEUE}.{name}"


FINISH_RUN = "racine.finish_run"
RECORD = "racine.record"
PYTHON = "racine.python"
ACQUIRE = "racine.acquire"
RELEASE = "racine.release"
SQL = "racine.sql"
HTTP = "racine.http"
QUALITY = "racine.quality"
NOTIFY = "racine.notify"
BREACH = "racine.breach"
EXPAND = "racine.expand"
SLICE = "racine.slice"
COLLECT = "racine.collect"
RECORD_CHILD_RUN = "racine.record_child_run"
LOOK_AT_RUN = "racine.look_at_run"
LEAVE_QUEUE = "racine.leave_queue"
RECORD_SCHEDULED_RUN = "racine.record_scheduled_run"

GRANTED = "granted"
"""Signal that tells an execution of a lease it has waited for."""

OWN = "racine:"
"""Prefix of the ids of activities that are the interpreter's own; no task key holds a colon."""

HEARTBEAT_TIMEOUT_SECONDS = 30.0
"""How long the interpreter waits for an attempt's beat unless the task says otherwise."""
