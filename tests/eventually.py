"""The one way in which tests wait for what others do."""

import time
from collections.abc import Callable


def eventually(happened: Callable[[], bool], what: str, seconds: float = 90) -> None:
    """Wait for a condition; fail, naming it, when it has not come in time."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.05)
