"""Where in the user's files a part of a job was written, so that its faults can say so."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from racine.errors import Fault

_OWN = str(Path(__file__).parent)


@dataclass(frozen=True)
class Place:
    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def caller() -> Place:
    """Return the nearest line on the stack that is not the SDK's."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_OWN):
        frame = frame.f_back
    return Place(frame.f_code.co_filename, frame.f_lineno)


def located(faults: Sequence[Fault], places: dict[str, Place], otherwise: Place) -> list[Fault]:
    """Return the faults with the user's line before each message.

    `places` holds the place of each pointer's beginning; the longest that fits counts.
    """
    return [
        replace(fault, message=f"{_place(fault.pointer, places, otherwise)}: {fault.message}")
        for fault in faults
    ]


def _place(pointer: str, places: dict[str, Place], otherwise: Place) -> Place:
    while pointer:
        if pointer in places:
            return places[pointer]
        pointer = pointer.rpartition("/")[0]
    return otherwise
