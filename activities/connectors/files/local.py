"""A folder of data files on this machine, or a single one."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from activities.connectors.files.formats import is_data
from activities.connectors.files.store import Entry
from racine.errors import SourceFault

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_ESCAPED = re.compile(rb"\\x([0-9a-f]{2})")
_GLOB = re.compile(r"([*?\[])")
"""What DuckDB takes for a pattern, though it may stand in a file's name."""

_LINK = "It is a link that leads out of the source's folder."


class LocalStore:
    """Files are named by their path relative to the folder; hidden files are passed over."""

    def __init__(self, location: str) -> None:
        self._root = Path(location)
        self._engine: DuckDBPyConnection | None = None

    def find(self) -> str:
        if not self._root.exists():
            raise SourceFault(
                f"There is no file or folder {self._root}.", next_step="Check the path."
            )
        return "a folder" if self._root.is_dir() else "a file"

    def entries(self, errors: list[str]) -> Iterator[Entry]:
        if self._root.is_file():
            yield _entry(self._root, self._root.name)
        else:
            yield from self._walk(self._root, errors)

    def entry(self, name: str) -> Entry:
        return _entry(self._path(name), name)

    def open(self, entry: Entry) -> BinaryIO:
        try:
            return self._path(entry.name).open("rb")
        except OSError as fault:
            raise _unreadable(entry.name, fault) from None

    @contextmanager
    def engine(self, name: str) -> Iterator["tuple[DuckDBPyConnection, str]"]:
        from activities.connectors import duckdb_engine  # slow to load, and CSV needs none

        path = self._path(name)
        if self._engine is None:
            self._engine = duckdb_engine.over_folder(
                self._root if self._root.is_dir() else path.parent
            )
        with self._engine.cursor() as cursor:
            yield cursor, _GLOB.sub(r"[\1]", str(path))

    def cancel(self) -> None:
        if self._engine is not None:
            self._engine.interrupt()

    def close(self) -> None:
        if self._engine is not None:
            self._engine.close()
            self._engine = None

    def _walk(self, folder: Path, errors: list[str]) -> Iterator[Entry]:
        try:
            found = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as fault:
            errors.append(_unreadable(self._name(folder), fault).message)
            return
        for entry in found:
            path = Path(entry.path)
            if entry.name.startswith((".", "_")) or (entry.is_symlink() and self._inside(path)):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from self._walk(path, errors)
            elif is_data(entry.name):
                yield _entry(path, self._name(path))

    def _inside(self, link: Path) -> bool:
        """Whether a link's target is met in the folder anyway."""
        return link.resolve().is_relative_to(self._root.resolve())

    def _name(self, path: Path) -> str:
        # Names that are not UTF-8 would break JSON and databases as lone surrogates.
        name = path.relative_to(self._root).as_posix()
        return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")

    def _path(self, name: str) -> Path:
        if self._root.is_file():
            return self._root
        path = self._root / name
        if "\\x" in name and not path.exists():
            raw = _ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()), name.encode())
            path = self._root / os.fsdecode(raw)
        if not path.resolve().is_relative_to(self._root.resolve()) or path.is_symlink():
            raise SourceFault(f"{name} leads out of the source's folder.")
        return path


def _entry(path: Path, name: str) -> Entry:
    try:
        status = path.stat()
    except OSError as fault:
        return Entry(
            name, 0, "", error=_LINK if path.is_symlink() else str(_unreadable(name, fault))
        )
    modified = datetime.fromtimestamp(status.st_mtime, UTC).isoformat()
    fingerprint = f"{status.st_size}-{status.st_mtime_ns}"
    return Entry(
        name, status.st_size, fingerprint, modified, error=_LINK if path.is_symlink() else None
    )


def _unreadable(name: str, fault: OSError) -> SourceFault:
    return SourceFault(
        f"{name} cannot be read: {fault.strerror}.",
        next_step="Give the worker's user the right to read it.",
    )
