"""Keeps events on disk until the database has them, so that a killed worker loses none.

A line handed to the kernel outlives its process; only a machine that goes down takes it along.
"""

import fcntl
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from racine.ids import new_id

_SUFFIX = ".events"


class Spool:
    """One process's file; it is locked while the process lives, and emptied when all is written."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path = folder / f"{new_id('spool')}{_SUFFIX}"
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC
        self._file = os.open(self._path, flags, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        self._lock = threading.Lock()
        self._open = 0

    def keep(self, event: dict[str, Any]) -> None:
        """Keep one event; the database does not have it yet."""
        line = json.dumps(event, default=str).encode() + b"\n"
        with self._lock:
            os.write(self._file, line)
            self._open += 1

    def written(self, count: int) -> None:
        """Note that the database has so many more events; with all of them, empty the file."""
        with self._lock:
            self._open -= count
            if self._open == 0:
                os.ftruncate(self._file, 0)

    def close(self) -> None:
        """Give the file up; it is gone when nothing is left in it, else the next worker's."""
        if self._open == 0:
            self._path.unlink(missing_ok=True)
        os.close(self._file)


def left_behind(folder: Path) -> Iterator[tuple[Path, list[dict[str, Any]]]]:
    """Yield the files of processes that are gone, with their events; the caller removes a file."""
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        with path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue
            yield path, [json.loads(line) for line in file if line.endswith(b"\n")]
