"""User code that takes its time."""

import time
from pathlib import Path


def rest(seconds: float) -> dict[str, float]:
    time.sleep(seconds)
    return {"rested": seconds}


def hold(until: str) -> dict[str, bool]:
    """Wait until the file is there."""
    while not Path(until).exists():
        time.sleep(0.05)
    return {"held": True}
