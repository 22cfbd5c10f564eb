"""The process that runs users' Python: one task at a time, told and answered over two pipes.

Started as a script with `-I`, so it imports nothing of Racine's and stays small. Every message is
one line of JSON. Arguments: the descriptors of orders, answers and log records, the memory limit in
megabytes, then the folders of the user's code. Standard output and error are the user's.
"""

import contextlib
import gc
import importlib
import json
import logging
import os
import resource
import sys
import sysconfig
import time
import traceback
from typing import Any

_FOLDERS = sys.argv[5:]
_MESSAGE = 2_000
"""Characters of a log record's message that are told."""
_LIBRARIES = (
    *(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")),
    "<frozen",
)
"""Where code lies that is not the user's own."""


def main() -> None:
    sys.path[:0] = _FOLDERS
    _limit_memory(int(sys.argv[4]))
    logging.basicConfig(level=logging.INFO, handlers=[_Records(int(sys.argv[3]))])
    with open(int(sys.argv[1])) as orders, open(int(sys.argv[2]), "w") as answers:
        for line in orders:
            answer = json.dumps(_serve(json.loads(line)))
            _flush()
            answers.write(answer + "\n")
            answers.flush()


class _Records(logging.Handler):
    """Tells every record of the user's loggers as one line of JSON."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._out = open(descriptor, "w", encoding="utf-8", buffering=1)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            message = record.getMessage()
        except Exception as fault:
            message = f"{record.msg!r} cannot be formatted: {type(fault).__name__}"
        if record.exc_info and record.exc_info[0] is not None:
            message += f" ({record.exc_info[0].__name__})"
        told = {"level": record.levelname, "logger": record.name, "line": message[:_MESSAGE]}
        with contextlib.suppress(OSError, ValueError):
            self._out.write(json.dumps(told) + "\n")


def _serve(order: dict[str, Any]) -> dict[str, Any]:
    _forget_peak()
    before, began = _cpu(), time.monotonic()
    try:
        answer = {"values": _values(_find(order["callable"])(**order["parameters"]))}
        json.dumps(answer, allow_nan=False)
    except SystemExit as exit_:
        answer = {"error": {"type": "SystemExit", "place": "", "traceback": str(exit_.code)}}
    except BaseException as fault:
        answer = {"error": _describe(fault)}
    answer["measured"] = {
        "cpu_seconds": round(_cpu() - before, 6),
        "wall_seconds": round(time.monotonic() - began, 6),
        "peak_memory_bytes": _peak(),
    }
    gc.collect()
    return answer


def _find(name: str) -> Any:
    module, _, path = name.partition(":")
    found = importlib.import_module(module)
    for part in path.split("."):
        found = getattr(found, part)
    return found


def _values(result: Any) -> dict[str, Any]:
    """Return what a function gave as the task's values; anything but a mapping is `result`."""
    if hasattr(result, "model_dump"):
        result = result.model_dump(mode="json")
    elif hasattr(result, "__dataclass_fields__"):
        import dataclasses

        result = dataclasses.asdict(result)
    if result is None:
        return {}
    return dict(result) if isinstance(result, dict) else {"result": result}


def _describe(fault: BaseException) -> dict[str, str]:
    """Return type and place, and apart the traceback, whose text may hold data."""
    frames = [f for f in traceback.extract_tb(fault.__traceback__) if f.filename != __file__]
    users = [f for f in frames if not f.filename.startswith(_LIBRARIES)]
    last = (users or frames)[-1:]
    place = "".join(f"{os.path.basename(frame.filename)}:{frame.lineno}" for frame in last)
    return {
        "type": type(fault).__name__,
        "place": place,
        "traceback": "".join(traceback.format_exception(fault)),
    }


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()


def _limit_memory(megabytes: int) -> None:
    if megabytes:
        limit = megabytes * 1024 * 1024
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def _cpu() -> float:
    """Return the processor seconds of this process and of the children it has waited for."""
    own, below = (resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + below.ru_utime + below.ru_stime


def _forget_peak() -> None:
    """Reset the kernel's mark of the highest memory: `ru_maxrss` remembers earlier tasks."""
    with contextlib.suppress(OSError), open("/proc/self/clear_refs", "w") as file:
        file.write("5")


def _peak() -> int | None:
    """Return the bytes of the highest resident memory since `_forget_peak`; None if not known."""
    with contextlib.suppress(OSError), open("/proc/self/status") as file:
        for line in file:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return None


if __name__ == "__main__":
    main()
