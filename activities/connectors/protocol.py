"""What a connector is: checks, discovers and reads one source, never writing to it."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, runtime_checkable

from racine.governance.data_sources import CheckStep

Values = Sequence[str | None]
"""One column of a batch as text; None is a null. A binary value is None too, see `Column.type`."""

Position = int | str
"""Where a read can go on after a batch: a place, never a value of the data.

Its meaning is the connector's own. It holds as long as the asset's fingerprint does.
"""

LONGEST_VALUE = 65_536
"""Characters of a database's value that are read: one longer is cut there by the source."""


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: str
    primary_key: bool = False
    references: str | None = None
    """`table.column` that a declared foreign key points at."""


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a set, or one partition of a table."""

    name: str
    fingerprint: str
    """Changes when the part did; empty where the source cannot tell."""
    bytes: int | None = None
    modified: str | None = None
    """When it last changed, ISO 8601 in UTC, where the source tells."""


@dataclass(frozen=True)
class Asset:
    """A table, view, file or set of files as its source lists it."""

    name: str
    """Qualified name, unique in the source: what patterns and the catalog see."""
    kind: str
    """`table`, `view` or `file`."""
    columns: tuple[Column, ...] = ()
    details: dict[str, Any] = field(default_factory=dict)
    """JSON that the connector needs to read the asset again: identifiers, file dialect, parts."""
    rows: int | None = None
    """As the source estimates it."""
    fingerprint: str = ""
    """Changes when the asset did, its rows or its schema; empty where the source cannot tell."""
    error: str | None = None
    """Why it cannot be read."""
    bytes: int | None = None
    """Its size in the source, where that is known."""
    modified: str | None = None
    """When it last changed, ISO 8601 in UTC, where the source tells."""
    uses: int | None = None
    """How often it was read, as the source counts: what is used more is scanned first."""

    @property
    def schema(self) -> str:
        """A hash of the columns' names and types, in their order."""
        text = "\n".join(f"{column.name!r} {column.type!r}" for column in self.columns)
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    @property
    def parts(self) -> tuple[Part, ...]:
        """The files or partitions that a read covers, oldest name first; none for a plain asset."""
        return tuple(Part(*part) for part in self.details.get("parts", ()))

    def only(self, parts: Iterable[Part]) -> "Asset":
        """Return the asset restricted to some of its parts: a read then covers these alone."""
        kept = [[part.name, part.fingerprint, part.bytes, part.modified] for part in parts]
        return replace(self, details={**self.details, "parts": kept}, rows=None)


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
    """Where to go on after this batch; None within a stretch that can only be read as a whole."""
    irregular: Mapping[str, int] = field(default_factory=dict)
    """What was wrong in the rows of this batch, in words, and how often: the read goes on."""


@dataclass(frozen=True)
class Bound:
    """Where an incremental read begins: rows whose `column` is greater than `value`."""

    column: str
    value: str
    """As `Incremental.newest` gave it."""


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

        A sample comes from across the asset, and starts anew whatever the position. Raises
        SourceFault for what this asset alone suffers from; Unavailable for a source that broke off,
        of which a new connector with the same position may read the rest.
        """

    def cancel(self) -> None:
        """Break off what another thread reads; safe to call at any time."""

    def close(self) -> None:
        """Free what the connector holds; closing again does nothing."""


@runtime_checkable
class Remembering(Protocol):
    """What a connector offers beside, where it must read of an asset to list it."""

    def remember(self, assets: Mapping[str, Asset]) -> None:
        """Let assets of the last listing, by name, stand for those that did not change since."""


@runtime_checkable
class Incremental(Protocol):
    """What a connector offers beside, where its source can pick rows by a column."""

    def newest(self, asset: Asset, column: str) -> str | None:
        """Return the column's greatest value as text, None for a table without one."""

    def read_since(self, asset: Asset, bound: Bound, sample: Sample) -> Iterator[Batch]:
        """Yield the rows beyond a bound, all of them or a sample; it starts anew each time."""
