"""Beats for every open attempt, so that a dead worker is noticed and a cancellation arrives."""

import contextlib
import contextvars
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from temporalio import activity
from temporalio.exceptions import CancelledError

INTERVAL_SECONDS = 2.0


@dataclass(eq=False)
class _Attempt:
    """One open attempt; beats must be sent in the context that Temporal gave its activity."""

    context: contextvars.Context
    details: tuple[Any, ...] = ()

    def send(self) -> None:
        self.context.run(activity.heartbeat, *self.details)


class Heartbeats:
    """One thread that beats for all open attempts."""

    def __init__(self, interval: float = INTERVAL_SECONDS) -> None:
        self._interval = interval
        self._open: dict[int, _Attempt] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeats", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closed.set()
        self._thread.join(timeout=30)

    @contextlib.contextmanager
    def keep(self) -> Iterator[Callable[..., None]]:
        """Beat for the attempt of this thread; yields what its work calls to tell its progress.

        That call raises CancelledError once somebody wants the attempt to end: between two units
        of work, never in the middle of a transaction.
        """
        attempt = _Attempt(contextvars.copy_context())
        info_cancelled = activity.is_cancelled

        def beat(*details: Any) -> None:
            attempt.details = details
            if info_cancelled():
                raise CancelledError("The attempt was cancelled.")

        with self._lock:
            self._open[id(attempt)] = attempt
        try:
            yield beat
        finally:
            with self._lock:
                del self._open[id(attempt)]

    def _beat(self) -> None:
        while not self._closed.wait(self._interval):
            with self._lock:
                attempts = list(self._open.values())
            for attempt in attempts:
                # An attempt may end between the copy and its beat.
                with contextlib.suppress(Exception):
                    attempt.send()
