"""What a connector is: checks, discovers and reads one source, never writing to it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from racine.governance.data_sources import CheckStep

Values = Sequence[str | None]
"""One column of a batch as text; None is a null. A binary value is None too, see `Column.type`."""

Position = int | str
"""Where a read can go on after a batch; its meaning is the connector's own."""


@dataclass(frozen=True)
class Column:
    name: str
    type: str
    primary_key: bool = False
    references: str | None = None
    """`table.column` that a declared foreign key points at."""


@dataclass(frozen=True)
class Asset:
    """A table, view or file as its source lists it."""

    name: str
    """Qualified name, unique in the source: what patterns and the catalog see."""
    kind: str
    """`table`, `view` or `file`."""
    columns: tuple[Column, ...] = ()
    details: dict[str, Any] = field(default_factory=dict)
    """JSON that the connector needs to read the asset again: identifiers, file dialect."""
    rows: int | None = None
    """As the source estimates it."""
    fingerprint: str = ""
    """Changes when the asset did; empty where the source cannot tell."""
    error: str | None = None
    """Why it cannot be read."""


@dataclass(frozen=True)
class Listing:
    """What an enumeration found; absence means something only when it is clean."""

    assets: tuple[Asset, ...]
    errors: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        return not self.errors


@dataclass(frozen=True)
class Sample:
    """How much to read: `rows` taken across the whole asset, or all of it."""

    rows: int | None = None
    seed: int = 0


@dataclass(frozen=True)
class Batch:
    """Some rows, column by column in the order of the asset's columns.

    A column of a nested file can hold several values a row, or none.
    """

    columns: Sequence[Values]
    rows: int
    position: Position | None = None


class Connector(Protocol):
    """Reads one source. Every method raises SourceFault with a sentence and a next step."""

    def check(self) -> Iterator[CheckStep]:
        """Yield the steps of a connection test as they end; the first failure is the last step."""

    def discover(self) -> Listing:
        """List the assets with their columns, in a number of queries that does not grow."""

    def count(self, asset: Asset) -> int | None:
        """Return how many rows the asset has, None where only a full read would tell."""

    def read(self, asset: Asset, sample: Sample, after: Position | None = None) -> Iterator[Batch]:
        """Yield the asset's rows in batches, from the position after which a read had ended.

        A sample starts anew whatever the position.
        """

    def cancel(self) -> None:
        """Break off what another thread reads; safe to call at any time."""

    def close(self) -> None:
        """Free what the connector holds; closing again does nothing."""
