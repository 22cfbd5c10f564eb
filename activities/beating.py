"""Heartbeats of an operation whose source may give nothing for long."""

import contextlib
import contextvars
import threading
from collections.abc import Callable, Iterator

from temporalio import activity

from activities.call import Call
from activities.connectors.protocol import Connector

_BEAT_SECONDS = 0.5
"""How long a cancellation that has arrived waits at most for its query to be broken off."""


@contextlib.contextmanager
def beating(
    call: Call, connector: Connector, stop: Callable[[], object] = lambda: None
) -> Iterator[None]:
    """Beat while a statement runs that gives no rows for long, and break it off when cancelled.

    Temporal raises the cancellation in the reading thread, which does not see it inside a driver.
    `stop` gives another reason to break it off; what it raises counts as none.
    """
    done = threading.Event()

    def beat() -> None:
        while not done.wait(_BEAT_SECONDS):
            # What either raises, the reading thread is to hear: it would end this one too early.
            with contextlib.suppress(Exception):
                if (activity.in_activity() and activity.is_cancelled()) or asked():
                    connector.cancel()
            with contextlib.suppress(Exception):
                call.heartbeat()

    def asked() -> bool:
        # A database that does not answer now may at the next beat.
        with contextlib.suppress(Exception):
            return bool(stop())
        return False

    run = contextvars.copy_context().run  # the activity's identity is in its context
    thread = threading.Thread(target=run, args=(beat,), name="scan-heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
