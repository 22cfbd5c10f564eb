"""The activity behind `python_task`: a user's function in a child process."""

import json
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from temporalio import activity

from activities.attempts import Attempt, Attempts, Performed
from activities.names import PYTHON
from activities.python.bundles import BundleCache
from activities.python.pool import PythonPool
from activities.python.process import ChildDied, OutOfTime
from models.messages import PythonCall, TaskOutput
from models.stores import blobs
from racine.errors import TaskError

_MARGIN_SECONDS = 0.5
"""How long before Temporal's own limit the child is killed, so that the attempt can say why."""


class PythonTasks:
    """Runs users' functions; `folders` are where modules are looked for that no bundle holds."""

    def __init__(
        self,
        attempts: Attempts,
        pool: PythonPool,
        folders: Sequence[str],
        bundles: BundleCache,
    ) -> None:
        self._attempts = attempts
        self._pool = pool
        self._folders = tuple(folders)
        self._bundles = bundles

    def warm(self) -> None:
        """Start the processes that the first tasks will want."""
        self._pool.warm(self._folders)

    @activity.defn(name=PYTHON, no_thread_cancel_exception=True)
    def run(self, call: PythonCall) -> TaskOutput:
        """Run one attempt of a python_task; raises ApplicationError typed by the user's error."""

        def work(attempt: Attempt, parameters: dict[str, Any]) -> Performed:
            return self._work(call, attempt, parameters)

        return self._attempts.carry_out(call, work)

    def _work(self, call: PythonCall, attempt: Attempt, parameters: dict[str, Any]) -> Performed:
        order = {"callable": call.callable, "parameters": parameters}
        seconds = _limit()

        def log(stream: str, line: str) -> None:
            attempt.log("log", _event(stream, line))

        try:
            with self._code(call) as folders:
                answer = self._pool.run(folders, order, seconds, log, attempt.heartbeat)
        except OutOfTime:
            raise TaskError(
                "timeout",
                f"{call.callable} took longer than {seconds:g} s and was killed.",
                next_step="Raise start_to_close_timeout_seconds, or do less in one task.",
            ) from None
        except ChildDied as death:
            raise TaskError(
                "process_died",
                f"The process of {call.callable} {_how(death.status)}.",
                next_step="Its last lines of output are in the task's log.",
            ) from None
        if "error" in answer:
            raise self._user_error(call, answer["error"])
        return Performed(answer["values"], answer["measured"])

    @contextmanager
    def _code(self, call: PythonCall) -> Iterator[tuple[str, ...]]:
        """Give the folders that a call's function comes from: those of its bundle go first."""
        if call.bundle is None:
            yield self._folders
            return
        with self._bundles.held(call.context.workspace_id, call.bundle) as folder:
            yield (str(folder), *self._folders)

    def _user_error(self, call: PythonCall, error: dict[str, str]) -> TaskError:
        """Show type and place; the text, which may hold data, goes to the blob store."""
        with self._attempts.db.write() as session:
            content = error["traceback"].encode(errors="replace")
            ref = blobs.put(session, call.context, content, "text/plain")
        place = f" at {error['place']}" if error["place"] else ""
        return TaskError(
            error["type"],
            f"{call.callable} raised {error['type']}{place}.",
            next_step="The traceback is kept apart.",
            details={"traceback": ref},
        )


def _event(stream: str, line: str) -> dict[str, Any]:
    """Return a captured line as an event's body; a record of a logger with its level and name."""
    if stream == "log":
        with suppress(ValueError):
            record = json.loads(line)
            if isinstance(record, dict):
                kept = {
                    name: str(record[name])
                    for name in ("level", "logger", "line")
                    if name in record
                }
                return {"stream": stream, **kept}
    return {"stream": stream, "line": line}


def _limit() -> float:
    limit = activity.info().start_to_close_timeout
    whole = limit.total_seconds() if limit else 600.0
    return max(whole - _MARGIN_SECONDS, whole * 0.9)


def _how(status: int) -> str:
    if status >= 0:
        return f"ended with exit code {status} before it answered"
    return f"was ended by {signal.Signals(-status).name}"
