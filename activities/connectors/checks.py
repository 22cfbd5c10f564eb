"""Runs the steps of a connection test until one fails."""

import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from activities.connectors.protocol import Asset
from racine.errors import SourceFault, Unavailable
from racine.governance.data_sources import CheckStep

Step = tuple[str, Callable[[], str]]
"""A step's name and what does it: it returns a detail or raises SourceFault or Unavailable."""


def run(*steps: Step) -> Iterator[CheckStep]:
    """Yield each step as it ends; the first failure ends the test."""
    for name, perform in steps:
        try:
            yield CheckStep(step=name, ok=True, detail=perform())
        except (SourceFault, Unavailable) as fault:
            yield CheckStep(step=name, ok=False, detail=fault.message, next_step=fault.next_step)
            return


_REACH_SECONDS = 10


def found_file(path: Path) -> str:
    """Return a file's size in words; raise SourceFault when there is none."""
    if not path.is_file():
        what = "is no file" if path.exists() else "does not exist"
        raise SourceFault(f"{path} {what}.", next_step="Check the source's location.")
    return f"{path.stat().st_size} bytes"


def fingerprint(*paths: Path) -> str:
    """Return what changes when one of some files does."""
    found = (path.stat() for path in paths if path.exists())
    return "-".join(f"{status.st_size}-{status.st_mtime_ns}" for status in found)


def first_row(assets: Iterable[Asset], ask: Callable[[Asset], Sequence[Any]]) -> str:
    """Read a row of the first table there is, and tell so."""
    table = next((a for a in assets if a.kind == "table" and not a.error), None)
    if table is None:
        return "no table to read from"
    return f"{len(ask(table))} row of {table.name}"


def reach(address: str, port: int, server: str) -> str:
    """Connect to a port and hang up; raise SourceFault when nothing answers there."""
    try:
        socket.create_connection((address, port), _REACH_SECONDS).close()
    except OSError as fault:
        raise SourceFault(
            f"Nothing answers at {address} port {port}: {fault}.",
            next_step=f"Check the port, the firewall, and that {server} listens there.",
        ) from None
    return f"{address} port {port}"
