"""Breaks off what a thread does elsewhere when its attempt is cancelled or out of time."""

import contextlib
import contextvars
import threading
import time
from collections.abc import Callable, Iterator

from temporalio import activity

_LOOK_SECONDS = 0.2


@contextlib.contextmanager
def interrupting(cancel: Callable[[], None], seconds: float) -> Iterator[Callable[[], bool]]:
    """Call `cancel` when the attempt is cancelled or `seconds` have gone; yields whether they have.

    Temporal raises a cancellation in the attempt's thread, which does not see it inside a driver.
    """
    done = threading.Event()
    ends = time.monotonic() + seconds

    def out_of_time() -> bool:
        return time.monotonic() >= ends

    def look() -> None:
        while not done.wait(_LOOK_SECONDS):
            if out_of_time() or (activity.in_activity() and activity.is_cancelled()):
                cancel()

    run = contextvars.copy_context().run  # the activity's identity is in its context
    thread = threading.Thread(target=run, args=(look,), name="interrupting", daemon=True)
    thread.start()
    try:
        yield out_of_time
    finally:
        done.set()
        thread.join()
