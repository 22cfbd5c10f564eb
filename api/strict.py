"""One reading of a request: JSON that every parser reads alike, in bounds (RFC 8259, RFC 7493).

Python's reader takes NaN, the last of two equal keys, lone surrogates, NUL and numbers without
bound; two readers of one document must never see two things, and databases refuse some of these.
"""

import json
import math
import re
from collections import Counter
from http import HTTPStatus
from typing import Any, NoReturn

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import problem

MAX_BODY = 8 * 1024 * 1024
"""Bytes of a request body: a job of 5,000 tasks and 50,000 edges takes about 4 MB of JSON."""

MAX_DEPTH = 64
_MAX_INTEGER = 2**63
_JSON_TYPES = re.compile(r"application/([\w.-]+\+)?json", re.IGNORECASE)
_STRINGS = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)
"""Strings, one without its end too: else the search would begin again at each quote in it."""
_NOT_BRACKETS = re.compile(rb"[^\[\]{}]+")


class Refused(ValueError):
    """The bytes are not a document that Racine reads; the message says why."""


def check(raw: bytes) -> None:
    """Raise Refused unless the bytes are JSON with one meaning and of bounded depth."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused(f"Byte {error.start} is not UTF-8.") from None
    _check_depth(raw)
    try:
        parsed = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_float=_float,
            parse_int=_integer,
        )
    except json.JSONDecodeError as error:
        raise Refused(
            f"It is not JSON: {error.msg}, at line {error.lineno} column {error.colno}."
        ) from None
    if b"\\u" in raw:
        _check_strings(parsed)


def _check_depth(raw: bytes) -> None:
    depth = 0
    for bracket in _NOT_BRACKETS.sub(b"", _STRINGS.sub(b"", raw)):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_DEPTH:
            raise Refused(f"It nests deeper than {MAX_DEPTH} levels.")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(name for name, count in Counter(n for n, _ in pairs).items() if count > 1)
        raise Refused(f"An object has the key {twice[:100]!r} twice.")
    return found


def _constant(name: str) -> NoReturn:
    raise Refused(f"{name} is not JSON.")


def _float(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise Refused(f"The number {digits[:40]} is out of range.")
    return number


def _integer(digits: str) -> int:
    # The length first: reading a number of a million digits takes minutes.
    if len(digits) > 20 or not -_MAX_INTEGER <= int(digits) < _MAX_INTEGER:
        raise Refused(f"The number {digits[:40]} does not fit 64 bits.")
    return int(digits)


def _check_strings(value: Any) -> None:
    if isinstance(value, dict):
        for name, inner in value.items():
            _check_strings(name)
            _check_strings(inner)
    elif isinstance(value, list):
        for inner in value:
            _check_strings(inner)
    elif isinstance(value, str):
        if "\0" in value:
            raise Refused("A string holds the character NUL.")
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise Refused("A string holds half of a surrogate pair.")


class Strict:
    """Reads the body whole, refuses what is not strict, and hands the rest on unchanged."""

    def __init__(self, app: ASGIApp, max_body: int = MAX_BODY) -> None:
        self._app = app
        self._max_body = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if "\0" in scope["path"] or b"%00" in scope["query_string"]:
            await _refuse(scope, receive, send, "The address holds the character NUL.")
            return
        body = await self._read(scope, receive)
        if body is None:
            await _too_large(scope, receive, send, self._max_body)
            return
        try:
            _check_body(Headers(scope=scope), body)
        except Refused as refusal:
            await _refuse(scope, receive, send, f"The body cannot be read. {refusal}")
            return
        scope.setdefault("state", {})["body"] = body
        await self._app(scope, _replay(body, receive), send)

    async def _read(self, scope: Scope, receive: Receive) -> bytes | None:
        declared = Headers(scope=scope).get("content-length", "0")
        if declared.isdigit() and int(declared) > self._max_body:
            return None
        chunks, size = [], 0
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return b""
            size += len(message.get("body", b""))
            if size > self._max_body:
                return None
            chunks.append(message.get("body", b""))
            if not message.get("more_body", False):
                return b"".join(chunks)


def _check_body(headers: Headers, body: bytes) -> None:
    if body and _JSON_TYPES.match(headers.get("content-type", "application/json")):
        check(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    given = False

    async def replayed() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed


async def _refuse(scope: Scope, receive: Receive, send: Send, why: str) -> None:
    answer = problem(
        HTTPStatus.BAD_REQUEST,
        "malformed",
        why,
        path=scope["path"].replace("\0", ""),
        request_id=scope["state"]["request_id"],
        next_step="Send one JSON document (RFC 8259).",
    )
    await answer(scope, receive, send)


async def _too_large(scope: Scope, receive: Receive, send: Send, limit: int) -> None:
    answer = problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "too_large",
        f"The body is larger than {limit} bytes.",
        path=scope["path"],
        request_id=scope["state"]["request_id"],
        headers={"Connection": "close"},
    )
    await answer(scope, receive, send)
