"""How long a document of 5,000 tasks and 50,000 edges is examined, and in how much memory.

`uv run python -m bench.definitions`: ends with one line of JSON. The limits are 500 ms and 200 MB.
"""

import json
import statistics
import time
import tracemalloc
from typing import Any

from racine.definitions.diff import diff
from racine.definitions.paths import estimate
from racine.definitions.validation import examine, validate

_TASKS, _EDGES_EACH, _ROUNDS = 5_000, 10, 5


def layered(tasks: int, edges_each: int) -> dict[str, Any]:
    """Return a document in which every task waits for so many that stand before it."""
    return {"name": "large", "tasks": [_task(n, edges_each) for n in range(tasks)]}


def _task(number: int, edges_each: int) -> dict[str, Any]:
    upstream = range(1, min(number, edges_each) + 1)
    edges = [{"task_key": f"t{number - back}"} for back in upstream]
    return {"task_key": f"t{number}", "noop_task": {}, "depends_on": edges}


def _milliseconds(work: Any) -> float:
    times = []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        work()
        times.append((time.perf_counter() - began) * 1000)
    return round(statistics.median(times), 1)


def _megabytes(document: dict[str, Any]) -> float:
    tracemalloc.start()
    examine(document)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return round(peak / 2**20, 1)


def main() -> None:
    document = layered(_TASKS, _EDGES_EACH)
    sound = validate(document)
    told = {
        "bench": "definitions",
        "tasks": _TASKS,
        "edges": sum(len(task["depends_on"]) for task in document["tasks"]),
        "examine_ms": _milliseconds(lambda: examine(document)),
        "diff_ms": _milliseconds(lambda: diff(sound, sound)),
        "estimate_ms": _milliseconds(lambda: estimate(sound, {})),
        "peak_megabytes": _megabytes(document),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
