"""Runs the steps of a connection test until one fails."""

from collections.abc import Callable, Iterator

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
