"""Writes run events in batches from a thread of its own, so that no operation waits for the log.

Each is on disk before its operation goes on, so that a killed worker's successor can write it.
"""

import itertools
import queue
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from activities.spool import Spool, left_behind
from models.messages import Transition
from models.session import Database
from models.stores import runs

log = structlog.get_logger(__name__)

ATTEMPT_STARTED = 0
ATTEMPT_ENDED = 1
"""Places among an attempt's events; its log lines come after."""

_FLUSH_SECONDS = 0.1
"""How long an event waits for others: a batch costs a millisecond, however few are in it."""
_BATCH = 500
_CAPACITY = 50_000
_PAUSE_SECONDS = 1.0
"""Between tries while the database is away."""

Tell = Callable[..., None]


class EventSink:
    """Takes events from any thread; `close` writes what is left.

    `folder` holds what is not written yet, and what killed processes left.
    """

    def __init__(self, db: Database, folder: Path) -> None:
        self._db = db
        self._closing = threading.Event()
        self._spool = Spool(folder)
        self._adopt(folder)
        self._queue: queue.Queue[dict[str, Any] | None] = queue.Queue(_CAPACITY)
        self._thread = threading.Thread(target=self._drain, name="run-events", daemon=True)
        self._thread.start()

    def put(self, **event: Any) -> None:
        """Take an event; waits while the database is far behind."""
        event = {"at": datetime.now(UTC), **event}
        self._spool.keep(event)
        self._queue.put(event, timeout=30)

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
        self._closing.set()
        self._queue.put(None)
        self._thread.join(timeout=30)
        self._spool.close()

    def _adopt(self, folder: Path) -> None:
        """Write what processes left that were killed; what was written before stays as it is."""
        for path, events in left_behind(folder):
            for event in events:
                event["at"] = datetime.fromisoformat(event["at"])
            if self._write(events):
                path.unlink(missing_ok=True)

    def _drain(self) -> None:
        while (first := self._queue.get()) is not None:
            # Not event by event: waking up for each would slow down those who write them.
            self._closing.wait(_FLUSH_SECONDS)
            self._settle([first, *self._waiting()])

    def _waiting(self) -> Iterator[dict[str, Any]]:
        """Yield what has come meanwhile, as far as one batch holds it."""
        for _ in range(min(self._queue.qsize(), _BATCH - 1)):
            item = self._queue.get_nowait()
            if item is None:
                self._queue.put(None)
                return
            yield item

    def _settle(self, batch: list[dict[str, Any]]) -> None:
        """Write a batch, however long the database is away; at the end leave it in the spool."""
        while not self._write(batch):
            if self._closing.wait(_PAUSE_SECONDS):
                return
        self._spool.written(len(batch))

    def _write(self, batch: list[dict[str, Any]]) -> bool:
        """Return whether the database answered; what it refuses for good is dropped."""
        by_run: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for event in batch:
            by_run[event["run_id"]].append(event)
        try:
            if not self._accepted(batch) and len(by_run) > 1:
                # One run that is gone must not take the log lines of the others along.
                for events in by_run.values():
                    self._accepted(events)
        except OperationalError as outage:
            log.warning("run_events_wait", count=len(batch), type=type(outage).__name__)
            return False
        return True

    def _accepted(self, batch: list[dict[str, Any]]) -> bool:
        try:
            with self._db.write() as session:
                runs.add_events(session, batch)
        except OperationalError:
            raise
        except SQLAlchemyError as refusal:
            log.error("run_events_lost", count=len(batch), type=type(refusal).__name__)
            return False
        return True
