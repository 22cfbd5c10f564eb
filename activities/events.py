"""Writes run events in batches from a thread of its own, so that no operation waits for the log."""

import queue
import threading
from typing import Any

import structlog

from models.session import Database
from models.stores import runs

log = structlog.get_logger(__name__)

_FLUSH_SECONDS = 0.1
_BATCH = 500
_CAPACITY = 50_000


class EventSink:
    """Takes events from any thread; `close` writes what is left."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._queue: queue.Queue[dict[str, Any] | None] = queue.Queue(_CAPACITY)
        self._thread = threading.Thread(target=self._drain, name="run-events", daemon=True)
        self._thread.start()

    def put(self, **event: Any) -> None:
        self._queue.put(event, timeout=30)

    def close(self) -> None:
        self._queue.put(None)
        self._thread.join(timeout=30)

    def _drain(self) -> None:
        open_ = True
        while open_:
            batch: list[dict[str, Any]] = []
            item = self._queue.get()
            while item is not None and len(batch) < _BATCH:
                batch.append(item)
                try:
                    item = self._queue.get(timeout=_FLUSH_SECONDS)
                except queue.Empty:
                    break
            else:
                if item is None:
                    open_ = False
                else:
                    batch.append(item)
            self._write(batch)

    def _write(self, batch: list[dict[str, Any]]) -> None:
        if not batch:
            return
        try:
            with self._db.write() as session:
                runs.add_events(session, batch)
        except Exception:
            # Losing log lines must not stop the worker; states come back through the reconciler.
            log.exception("run_events_lost", count=len(batch))
