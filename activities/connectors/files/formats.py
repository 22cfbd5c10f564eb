"""The kinds of data files, and the module that reads each."""

from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

from activities.connectors.files.compression import data_suffix
from activities.connectors.protocol import Asset, Batch, Column, Position, Sample

if TYPE_CHECKING:
    from activities.connectors.files.store import File


class Format(Protocol):
    """A module that describes and reads one kind of file."""

    TOLD_BY_SIGNATURE: bool
    """Whether what `describe` returns holds for every file of the same signature."""

    def describe(self, file: "File") -> tuple[tuple[Column, ...], dict[str, Any]]:
        """Return a file's columns and what reading it needs to know."""

    def signature(self, file: "File") -> str:
        """Return what files of one schema share, cheaply."""

    def count(self, file: "File", asset: Asset) -> int | None:
        """Return about how many rows a file has, None where only a full read would tell."""

    def read(
        self, file: "File", asset: Asset, sample: Sample, after: Position | None
    ) -> Iterator[Batch]:
        """Yield the rows of a file."""


MODULES = {
    ".csv": "delimited",
    ".tsv": "delimited",
    ".tab": "delimited",
    ".psv": "delimited",
    ".json": "records",
    ".jsonl": "records",
    ".ndjson": "records",
    ".parquet": "parquet",
    ".pq": "parquet",
}
"""The module that reads files of each ending."""


def is_data(name: str) -> bool:
    return data_suffix(name) in MODULES


def format_of(name: str) -> Format:
    """Return the module that reads a file of that name; others are tried as delimited text."""
    module = MODULES.get(data_suffix(name), "delimited")
    # Imported where needed: a scan of CSV files must not wait for DuckDB to load.
    return cast(Format, import_module(f"activities.connectors.files.{module}"))
