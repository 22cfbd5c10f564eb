"""Everything that a message of Temporal's carries, decoded through every wrapping."""

import base64
import binascii
import json
import re
import zlib
from collections.abc import Iterator
from typing import Any

from google.protobuf.message import Message
from temporalio.api.common.v1 import Payload

_BASE64 = re.compile(rb"[A-Za-z0-9+/]{16,}={0,2}")


def texts(message: Message) -> Iterator[bytes]:
    """Yield every text and payload inside a message, and what they unwrap to."""
    if isinstance(message, Payload):
        yield from unwrapped(message.data)
    for field, value in message.ListFields():
        for item in _items(field, value):
            if isinstance(item, Message):
                yield from texts(item)
            elif isinstance(item, str | bytes):
                yield from unwrapped(item.encode() if isinstance(item, str) else item)


def unwrapped(data: bytes, depth: int = 4) -> Iterator[bytes]:
    """Yield data itself, its JSON texts unescaped, and what base64 and deflate hide in it."""
    yield data
    if depth == 0:
        return
    for inner in (*_inflated(data), *_unescaped(data)):
        yield from unwrapped(inner, depth - 1)
    for found in _BASE64.findall(data):
        try:
            decoded = base64.b64decode(found, validate=True)
        except binascii.Error:
            continue
        yield from unwrapped(decoded, depth - 1)


def _items(field: Any, value: Any) -> list[Any]:
    if not field.is_repeated:
        return [value]
    return list(value.values()) if hasattr(value, "values") else list(value)


def _inflated(data: bytes) -> list[bytes]:
    found = []
    for window in (zlib.MAX_WBITS, zlib.MAX_WBITS | 16, -zlib.MAX_WBITS):
        try:
            found.append(zlib.decompressobj(window).decompress(data))
        except zlib.error:
            continue
    return [item for item in found if item]


def _unescaped(data: bytes) -> list[bytes]:
    r"""Return JSON written plainly, so that no `\u0041` hides an A."""
    try:
        plain = json.dumps(json.loads(data), ensure_ascii=False).encode(errors="replace")
    except ValueError:
        return []
    return [plain] if plain != data else []
