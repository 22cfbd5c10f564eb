"""Where data files lie: a folder of this machine or a bucket, with the same few things to ask."""

import io
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, Protocol

from activities.connectors.files.compression import data_suffix, expanded, is_compressed

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True, slots=True)
class Entry:
    """One data file as its store lists it."""

    name: str
    """Path in the source, with slashes; what the file is opened by."""
    bytes: int
    fingerprint: str
    modified: str | None = None
    """When it last changed, ISO 8601 in UTC."""
    error: str | None = None
    """Why it cannot be read."""


class Store(Protocol):
    """Raises SourceFault for what concerns one file, Unavailable when the store broke off."""

    def find(self) -> str:
        """Return in words what is there; raise SourceFault when nothing is."""

    def entries(self, errors: list[str]) -> Iterator[Entry]:
        """Yield every data file by name; what could not be listed is added to the errors."""

    def entry(self, name: str) -> Entry:
        """Return a file as it is now."""

    def open(self, entry: Entry) -> BinaryIO:
        """Return a file's bytes as a stream that can be read in part and sought."""

    def engine(self, name: str) -> AbstractContextManager["tuple[DuckDBPyConnection, str]"]:
        """Open DuckDB over the store; also return the name by which it knows the file."""

    def cancel(self) -> None:
        """Break off what another thread reads."""

    def close(self) -> None:
        """Free connections; closing again does nothing."""


_SMALL = 256 << 10
"""Bytes up to which a file is fetched once, and described and read from memory."""


_Content = bytes  # `File.bytes` is a size


@dataclass(slots=True)
class File:
    """A data file of a store, as the formats read it."""

    store: Store
    entry: Entry
    _content: _Content | None = field(default=None, init=False, repr=False)

    @property
    def name(self) -> str:
        return self.entry.name

    @property
    def bytes(self) -> int:
        return self.entry.bytes

    @property
    def suffix(self) -> str:
        """What the name says of the content: `.csv` of `a.csv.gz`."""
        return data_suffix(self.name)

    @property
    def is_compressed(self) -> bool:
        return is_compressed(self.name)

    def engine(self) -> AbstractContextManager["tuple[DuckDBPyConnection, str]"]:
        return self.store.engine(self.name)

    @contextmanager
    def plain(self) -> Iterator[BinaryIO]:
        """Open the file as it is stored."""
        content = self._fetched() if self.bytes <= _SMALL else None
        if content is not None:
            yield io.BytesIO(content)
            return
        with self.store.open(self.entry) as stream:
            yield stream

    def _fetched(self) -> _Content | None:
        """Return all of a small file; None where it has grown since it was listed."""
        if self._content is None:
            with self.store.open(self.entry) as stream:
                content = stream.read(_SMALL + 1)
            self._content = content if len(content) <= _SMALL else None
        return self._content

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """Open the file, decompressed; a broken archive raises SourceFault."""
        with self.plain() as stream, expanded(stream, self.name, self.bytes) as content:
            yield content
