"""Writes run events in batches from a thread of its own, so that no operation waits for the log."""

import itertools
import queue
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from models.messages import Transition
from models.session import Database
from models.stores import runs

log = structlog.get_logger(__name__)

ATTEMPT_STARTED = 0
ATTEMPT_ENDED = 1
"""Places among an attempt's events; its log lines come after."""

_FLUSH_SECONDS = 0.1
_BATCH = 500
_CAPACITY = 50_000

Tell = Callable[..., None]


class EventSink:
    """Takes events from any thread; `close` writes what is left."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._queue: queue.Queue[dict[str, Any] | None] = queue.Queue(_CAPACITY)
        self._thread = threading.Thread(target=self._drain, name="run-events", daemon=True)
        self._thread.start()

    def put(self, **event: Any) -> None:
        """Take an event; waits while the database is far behind."""
        self._queue.put({"at": datetime.now(UTC), **event}, timeout=30)

    def put_transitions(self, run_id: str, transitions: Sequence[Transition]) -> None:
        for item in transitions:
            self.put(run_id=run_id, **item.model_dump())

    def teller(self, run_id: str, task_key: str, attempt: int) -> Tell:
        """Return what writes the events of one attempt, each with the next free place."""
        places = itertools.count(ATTEMPT_ENDED + 1)

        def tell(kind: str, body: Mapping[str, Any], *, n: int | None = None) -> None:
            place = next(places) if n is None else n
            self.put(
                run_id=run_id, task_key=task_key, attempt=attempt, n=place, kind=kind, body=body
            )

        return tell

    def close(self) -> None:
        self._queue.put(None)
        self._thread.join(timeout=30)

    def _drain(self) -> None:
        item = self._queue.get()
        while item is not None:
            batch: list[dict[str, Any]] = []
            while item is not None and len(batch) < _BATCH:
                batch.append(item)
                try:
                    item = self._queue.get(timeout=_FLUSH_SECONDS)
                except queue.Empty:
                    break
            else:
                self._write(batch)
                continue
            self._write(batch)
            item = self._queue.get()

    def _write(self, batch: list[dict[str, Any]]) -> None:
        by_run: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for event in batch:
            by_run[event["run_id"]].append(event)
        if self._written(batch) or len(by_run) == 1:
            return
        # One run that is gone must not take the log lines of the others along.
        for events in by_run.values():
            self._written(events)

    def _written(self, batch: list[dict[str, Any]]) -> bool:
        try:
            with self._db.write() as session:
                runs.add_events(session, batch)
        except SQLAlchemyError as fault:
            # Losing log lines must not stop the worker; states come back through the reconciler.
            log.error("run_events_lost", count=len(batch), type=type(fault).__name__)
            return False
        return True
