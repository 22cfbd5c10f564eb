"""What a session on a source is: it runs statements in one transaction, and can be broken off."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from racine.statements import Statement

Row = Sequence[Any]

BATCH = 1_000
"""Rows that a session takes from its driver at a time."""


@dataclass(frozen=True)
class Answer:
    """What one statement gave: rows, or how many rows it changed."""

    columns: tuple[str, ...] = ()
    """None of them where the statement gives no rows."""
    batches: Iterable[Sequence[Row]] = ()
    affected: int | None = None


class Session(Protocol):
    """One transaction on one source. Every method raises SourceFault or Unavailable."""

    def run(self, statement: Statement, values: Mapping[str, Any]) -> Answer:
        """Run a statement; rows not taken before the next one runs are lost."""

    def commit(self) -> None:
        """Keep what the statements did."""

    def cancel(self) -> None:
        """Break off what another thread runs; safe to call at any time."""

    def close(self) -> None:
        """End the session; what was not committed is undone."""
