"""Lets DuckDB read the files of a store, by ranges."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import quote, unquote

from fsspec import AbstractFileSystem

if TYPE_CHECKING:
    from activities.connectors.files.store import Store

_PROTOCOL = "racine"
PREFIX = f"{_PROTOCOL}://store/"


class Mounted(AbstractFileSystem):  # type: ignore[misc]  # it has no types
    """A read-only file system over a store; names are quoted, so that none is a pattern."""

    protocol = _PROTOCOL
    cachable = False

    def __init__(self, store: "Store") -> None:
        super().__init__()
        self._store = store

    @staticmethod
    def path(name: str) -> str:
        return PREFIX + quote(name)

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        return {"name": path, "size": self._store.entry(_name(path)).bytes, "type": "file"}

    def exists(self, path: str, **_: Any) -> bool:
        return bool(self.info(path))

    def glob(self, path: str, **_: Any) -> list[str]:
        return [path]

    def modified(self, path: str) -> datetime:
        told = self._store.entry(_name(path)).modified
        return datetime.fromisoformat(told) if told else datetime.fromtimestamp(0, UTC)

    def _open(self, path: str, mode: str = "rb", **_: Any) -> BinaryIO:
        return self._store.open(self._store.entry(_name(path)))


def _name(path: str) -> str:
    return unquote(path.removeprefix(f"{_PROTOCOL}://").removeprefix("store/"))
