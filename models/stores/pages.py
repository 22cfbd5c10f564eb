"""Long lists of JSON items, kept in blobs of bounded size under one that lists them."""

import json
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from models.messages import RunContext
from models.session import Database
from models.stores import blobs
from racine.errors import InvalidInput

MEDIA_TYPE = "application/vnd.racine.pages+json"

PAGE_BYTES = 1 << 20
"""Bytes at which a page is full: what a reader of one item has in memory."""

MAX_BYTES = 1 << 30
"""Bytes of one list: more belongs in a table or a file."""


@dataclass(frozen=True)
class Pages:
    """A list as it was kept: how many items, what describes them, and where each page begins."""

    count: int
    head: dict[str, Any]
    starts: tuple[int, ...]
    refs: tuple[str, ...]


@dataclass
class Writer:
    """Takes items one by one and writes a page whenever one is full; `close` gives the reference.

    Writing the same items again gives the same reference.
    """

    db: Database
    context: RunContext
    max_bytes: int = MAX_BYTES
    count: int = 0
    size: int = 0
    _open: list[str] = field(default_factory=list)
    _open_bytes: int = 0
    _pages: list[tuple[int, str]] = field(default_factory=list)

    def add(self, items: Iterable[str]) -> None:
        """Take items, each as JSON; raise InvalidInput when they are too many bytes in all."""
        for item in items:
            self._open.append(item)
            self._open_bytes += len(item) + 1
            if self._open_bytes >= PAGE_BYTES:
                self._turn()

    def close(self, head: dict[str, Any] | None = None) -> str:
        """Write what is left and the list of pages; return its reference."""
        if self._open:
            self._turn()
        starts, refs = [start for start, _ in self._pages], [ref for _, ref in self._pages]
        content = {"count": self.count, "head": head or {}, "starts": starts, "refs": refs}
        with self.db.write() as session:
            return blobs.put(session, self.context, json.dumps(content).encode(), MEDIA_TYPE)

    def _turn(self) -> None:
        content = f"[{','.join(self._open)}]".encode()
        self.size += len(content)
        if self.size > self.max_bytes:
            raise InvalidInput(
                f"The items have more than {self.max_bytes} bytes.",
                next_step="Take fewer rows or columns, or aggregate at the source.",
            )
        with self.db.write() as session:
            self._pages.append((self.count, blobs.put(session, self.context, content)))
        self.count += len(self._open)
        self._open, self._open_bytes = [], 0


def find(session: Session, workspace_id: str, ref: str) -> Pages | None:
    """Return a list by its reference; None for a blob that is none."""
    blob = blobs.get(session, workspace_id, ref)
    if blob.media_type != MEDIA_TYPE:
        return None
    content = json.loads(blob.content)
    starts, refs = tuple(content["starts"]), tuple(content["refs"])
    return Pages(content["count"], content["head"], starts, refs)


def stretch(
    session: Session, workspace_id: str, pages: Pages, start: int, count: int
) -> Sequence[Any]:
    """Return some of the items, reading only the pages that hold them."""
    items: list[Any] = []
    end = min(start + count, pages.count)
    place = max(bisect_right(pages.starts, start) - 1, 0)
    while start < end:
        page = json.loads(blobs.get(session, workspace_id, pages.refs[place]).content)
        first = pages.starts[place]
        items += page[start - first : end - first]
        start, place = first + len(page), place + 1
    return items
