"""The content of an asset's version: its digest, and what changed between two."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Change:
    """One difference; `pointer` is a JSON pointer (RFC 6901) into the content."""

    pointer: str
    before: Any = None
    after: Any = None


def digest(content: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the content's meaning: the order of its keys takes no part."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def changes(before: Any, after: Any, pointer: str = "") -> Iterator[Change]:
    """Yield the differences between two contents, by pointer; lists are compared whole."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted({*before, *after}):
            place = f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"
            yield from changes(before.get(key), after.get(key), place)
    elif before != after:
        yield Change(pointer, before, after)
