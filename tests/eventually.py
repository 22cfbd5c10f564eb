"""The one way in which tests wait for what others do."""

import time
from collections.abc import Callable


def eventually(happened: Callable[[], bool], what: str, seconds: float = 90) -> None:
    """Wait for a condition; fail, naming it, when it has not come in time."""
    began = time.monotonic()
    while not happened():
        waited = time.monotonic() - began
        assert waited < seconds, f"not within {seconds:g} s: {what}"
        # Whoever waits long looks less often: each look costs the servers that work.
        time.sleep(min(1.0, max(0.05, waited / 100)))
