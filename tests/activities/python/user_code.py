"""Functions as users write them, good and bad."""

import ctypes
import logging
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any


def double(n: int) -> dict[str, int]:
    print("doubling", n)
    print("careful", file=sys.stderr)
    return {"twice": 2 * n}


def identity() -> dict[str, int]:
    return {"pid": os.getpid()}


def segfault() -> None:
    ctypes.string_at(0)


def leave() -> None:
    print("last words", flush=True)
    os._exit(7)


def leave_softly() -> None:
    sys.exit("bye")


def forever() -> None:
    while True:
        pass


def hungry() -> int:
    return len(b"x" * (4 << 30))


def busy(processor: float) -> None:
    end = time.process_time() + processor
    while time.process_time() < end:
        pass


def holds(megabytes: int) -> int:
    return len(bytearray(megabytes << 20))


def fails(value: str) -> None:
    raise ValueError(f"cannot use {value}")


def misses() -> str:
    return Path("/nowhere/at/all").read_text()


def not_json() -> Any:
    return {"set": {1, 2}}


def not_a_number() -> Any:
    return {"x": float("nan")}


def talkative() -> None:
    for n in range(6000):
        print("line", n)


def environment() -> dict[str, list[str]]:
    return {"racine": [name for name in os.environ if name.startswith("RACINE_")]}


def orphan() -> dict[str, int]:
    return {"pid": subprocess.Popen(["sleep", "600"]).pid}


def logs() -> None:
    logging.getLogger("shop.orders").info("%d orders read", 3)
    try:
        raise ValueError("x")
    except ValueError:
        logging.exception("broken")
    logging.warning("%d", "no number")
    logging.getLogger("shop").debug("not told")


def says_and_waits(path: str) -> str:
    print("waiting", flush=True)
    deadline = time.monotonic() + 60
    while not os.path.exists(path):
        if time.monotonic() > deadline:
            return "never seen"
        time.sleep(0.01)
    return "seen"


def eats_ten_gigabytes() -> int:
    return len(bytearray(10 << 30))
