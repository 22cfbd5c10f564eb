"""A folder of data files, or a single one, as a source."""

import os
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

from activities.connectors import checks
from activities.connectors.files.blocks import estimated_lines
from activities.connectors.files.compression import data_suffix, is_compressed
from activities.connectors.protocol import Asset, Batch, Column, Listing, Position, Sample
from racine.errors import SourceFault
from racine.governance.data_sources import CheckStep


class Format(Protocol):
    """A module that describes and reads one kind of file."""

    def describe(self, path: Path) -> tuple[tuple[Column, ...], dict[str, Any]]:
        """Return a file's columns and what reading it needs to know."""

    def read(
        self, path: Path, asset: Asset, sample: Sample, after: Position | None
    ) -> Iterator[Batch]:
        """Yield the rows of a file."""


FORMATS = {
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


class FolderConnector:
    """Files are named by their path relative to the folder; hidden files are passed over."""

    def __init__(self, location: str) -> None:
        self._root = Path(location)

    def check(self) -> Iterator[CheckStep]:
        return checks.run(("find", self._find), ("list", self._list), ("read", self._read))

    def discover(self) -> Listing:
        self._find()
        if self._root.is_file():
            return Listing((self._describe(self._root, self._root.name),))
        errors: list[str] = []
        files = sorted(self._walk(self._root, errors))
        return Listing(tuple(self._describe(path, name) for name, path in files), tuple(errors))

    def count(self, asset: Asset) -> int | None:
        rows, path = asset.details.get("rows"), self._path(asset)
        if rows is not None:
            return int(rows)
        return None if is_compressed(path) else estimated_lines(path)

    def read(self, asset: Asset, sample: Sample, after: Position | None = None) -> Iterator[Batch]:
        path = self._path(asset)
        try:
            yield from _format(path).read(path, asset, sample, after)
        except OSError as fault:
            raise _unreadable(asset.name, fault) from None

    def cancel(self) -> None:
        """Nothing waits: the reader looks at its budget after each batch."""

    def close(self) -> None:
        """No file stays open between reads."""

    def _describe(self, path: Path, name: str) -> Asset:
        """Return the file as an asset; one that cannot be read keeps its reason."""
        try:
            status = path.stat()
            fingerprint = f"{status.st_size}-{status.st_mtime_ns}"
            if path.is_symlink():
                raise SourceFault("It is a link that leads out of the source's folder.")
            columns, details = _format(path).describe(path)
        except OSError as fault:
            return Asset(name, "file", error=_unreadable(name, fault).message)
        except SourceFault as fault:
            return Asset(name, "file", error=fault.message)
        rows = details.get("rows")
        return Asset(name, "file", columns, details, rows, fingerprint)

    def _walk(self, folder: Path, errors: list[str]) -> Iterator[tuple[str, Path]]:
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as fault:
            errors.append(_unreadable(self._name(folder), fault).message)
            return
        for entry in entries:
            path = Path(entry.path)
            if entry.name.startswith((".", "_")) or (entry.is_symlink() and self._inside(path)):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from self._walk(path, errors)
            elif data_suffix(path) in FORMATS:
                yield self._name(path), path

    def _inside(self, link: Path) -> bool:
        """Whether a link's target is met in the folder anyway."""
        return link.resolve().is_relative_to(self._root.resolve())

    def _name(self, path: Path) -> str:
        # Names that are not UTF-8 would break JSON and databases as lone surrogates.
        name = path.relative_to(self._root).as_posix()
        return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")

    def _path(self, asset: Asset) -> Path:
        if self._root.is_file():
            return self._root
        path = self._root / asset.name
        if not path.resolve().is_relative_to(self._root.resolve()) or path.is_symlink():
            raise SourceFault(f"{asset.name} leads out of the source's folder.")
        return path

    def _find(self) -> str:
        if not self._root.exists():
            raise SourceFault(
                f"There is no file or folder {self._root}.", next_step="Check the path."
            )
        return "a folder" if self._root.is_dir() else "a file"

    def _list(self) -> str:
        if self._root.is_file():
            return "1 file"
        errors: list[str] = []
        found = len(list(self._walk(self._root, errors)))
        if errors:
            raise SourceFault(errors[0], next_step="Give the worker's user the right to read it.")
        return f"{found} data files"

    def _read(self) -> str:
        listing = self.discover()
        asset = next((a for a in listing.assets if not a.error), None)
        if asset is None and listing.assets:
            raise SourceFault(str(listing.assets[0].error), next_step="Check the files.")
        if asset is None:
            known = ", ".join(FORMATS)
            raise SourceFault("There is no data file.", next_step=f"Files end in one of: {known}.")
        return f"{len(asset.columns)} columns of {asset.name}"


def _format(path: Path) -> Format:
    name = FORMATS.get(data_suffix(path), "delimited")
    # Imported where needed: a scan of CSV files must not wait for DuckDB to load.
    return cast(Format, import_module(f"activities.connectors.files.{name}"))


def _unreadable(name: str, fault: OSError) -> SourceFault:
    return SourceFault(
        f"{name} cannot be read: {fault.strerror}.",
        next_step="Give the worker's user the right to read it.",
    )
