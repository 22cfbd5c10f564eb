"""A folder of data files on this machine, or a single one."""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
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
_NO_FILE = "It is no regular file: a pipe, a device or a socket."


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
        if self._is_file:
            yield _entry(str(self._root), self._root.name)
        else:
            yield from self._walk(self._root, errors)

    def entry(self, name: str) -> Entry:
        # Whether it lies below the folder is judged when it is opened.
        return _entry(self._place(name), name)

    def open(self, entry: Entry) -> BinaryIO:
        try:
            return open(self._path(entry.name), "rb")
        except OSError as fault:
            raise _unreadable(entry.name, fault) from None

    @contextmanager
    def engine(self, name: str) -> Iterator["tuple[DuckDBPyConnection, str]"]:
        from activities.connectors import duckdb_engine  # slow to load, and CSV needs none

        path = self._path(name)
        if self._engine is None:
            folder = self._root.parent if self._is_file else Path(self._real)
            self._engine = duckdb_engine.over_folder(folder)
        with self._engine.cursor() as cursor:
            yield cursor, _GLOB.sub(r"[\1]", path)

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
        inside = "" if folder == self._root else f"{self._name(folder)}/"
        for entry in found:
            if entry.name.startswith((".", "_")) or (entry.is_symlink() and self._inside(entry)):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from self._walk(Path(entry.path), errors)
            elif is_data(entry.name):
                yield _entry(entry.path, inside + _text(entry.name))

    def _inside(self, link: os.DirEntry[str]) -> bool:
        """Whether a link's target is met in the folder anyway."""
        return Path(link.path).resolve().is_relative_to(self._real)

    def _name(self, path: Path) -> str:
        return _text(path.relative_to(self._root).as_posix())

    def _place(self, name: str) -> str:
        if self._is_file:
            return str(self._root)
        path = os.path.join(self._real, name)
        if "\\x" in name and not os.path.exists(path):
            raw = _ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()), name.encode())
            path = os.path.join(self._real, os.fsdecode(raw))
        return path

    def _path(self, name: str) -> str:
        """Return where a file is; raise SourceFault where that is not below the folder."""
        path = self._place(name)
        if self._is_file:
            return path
        real = os.path.realpath(path)
        below = real == path or Path(real).is_relative_to(self._real)
        if not below or (real != path and Path(path).is_symlink()):
            raise SourceFault(f"{name} leads out of the source's folder.")
        return path

    @cached_property
    def _real(self) -> str:
        return os.path.realpath(self._root)

    @cached_property
    def _is_file(self) -> bool:
        return self._root.is_file()


def _text(name: str) -> str:
    # Names that are not UTF-8 would break JSON and databases as lone surrogates.
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _entry(path: str, name: str) -> Entry:
    try:
        status = os.lstat(path)
    except OSError as fault:
        return Entry(name, 0, "", error=str(_unreadable(name, fault)))
    modified = datetime.fromtimestamp(status.st_mtime, UTC).isoformat()
    fingerprint = f"{status.st_size}-{status.st_mtime_ns}"
    return Entry(name, status.st_size, fingerprint, modified, _refusal(status.st_mode))


def _refusal(mode: int) -> str | None:
    """Return why a file is not read; opening a pipe would wait for whoever writes to it."""
    if stat.S_ISLNK(mode):
        return _LINK
    return None if stat.S_ISREG(mode) else _NO_FILE


def _unreadable(name: str, fault: OSError) -> SourceFault:
    return SourceFault(
        f"{name} cannot be read: {fault.strerror}.",
        next_step="Give the worker's user the right to read it.",
    )
