"""A graph made by a loop: the job's function is ordinary Python.

racine apply examples/fan_out.py
racine run fan_out --wait
"""

import racine
from racine.platform import NOOP, Echo

REGIONS = ("north", "east", "south", "west")


def add_up(numbers: list[int]) -> int:
    return sum(numbers)


@racine.job(tags={"example": "graph"})
def fan_out(job: racine.JobBuilder, base: int = 10) -> None:
    """Asks four regions at once, then adds up what they said."""
    retry = racine.RetryPolicy(maximum_attempts=5, initial_interval_seconds=0.5)
    asked = [
        job.task(region, retry_policy=retry).operation(NOOP, Echo, value=base + place)
        for place, region in enumerate(REGIONS)
    ]
    total = job.task("total").python(add_up, numbers=[task.values.value for task in asked])
    job.returns(total=total.result)
