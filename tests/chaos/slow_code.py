"""User code that takes its time."""

import time


def rest(seconds: float) -> dict[str, float]:
    time.sleep(seconds)
    return {"rested": seconds}
