"""One HTTP exchange with a server whose address was checked, and is the one that is connected to.

The name is resolved once for each hop, every address is judged, and the connection goes to one of
them with the name kept for TLS and the Host header: a name that changes its address meanwhile (DNS
rebinding) reaches nothing else. Redirects are followed by hand, each judged anew.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import httpx

from activities.connectors.boundary import Boundary
from racine.errors import InvalidInput, RequestRefused, Unavailable

_REDIRECTS = 5
_KEPT = ("accept", "accept-language", "user-agent")
"""Headers that follow a redirect to another server; all else may be meant for the first alone."""


@dataclass(frozen=True)
class Request:
    method: str
    url: httpx.URL
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    content: bytes | None = None


@dataclass(frozen=True)
class Reply:
    status: int
    headers: httpx.Headers
    content: bytes


async def send(request: Request, boundary: Boundary, max_bytes: int) -> Reply:
    """Return the answer, after redirects of GET and HEAD.

    Raises SourceFault for an address that is refused, Unavailable when no server answers,
    InvalidInput for an answer that is too long.
    """
    for _ in range(_REDIRECTS + 1):
        reply = await _hop(request, boundary, max_bytes)
        target = reply.headers.get("location")
        if reply.status not in (301, 302, 303, 307, 308) or not target:
            return reply
        if request.method not in ("GET", "HEAD"):
            return reply
        request = _followed(request, target)
    raise RequestRefused(
        f"{request.url.host} redirects more than {_REDIRECTS} times.",
        next_step="Give the URL that it leads to.",
        details={"status": reply.status},
    )


def checked_url(text: str) -> httpx.URL:
    """Return a URL; raise InvalidInput unless it is http or https, with a host and no password."""
    try:
        url = httpx.URL(text)
    except (httpx.InvalidURL, TypeError, ValueError):
        raise InvalidInput(
            "The URL cannot be read.", next_step="Write https://host/path."
        ) from None
    if url.scheme not in ("http", "https") or not url.host or url.userinfo:
        raise InvalidInput(
            f"{url.scheme or 'no scheme'}:// with host {url.host!r} is no address for a request.",
            next_step="Write https://host/path, without user and password.",
        )
    return url


def _followed(request: Request, target: str) -> Request:
    url = checked_url(str(request.url.join(target)))
    same = (url.scheme, url.host, url.port) == (
        request.url.scheme, request.url.host, request.url.port,
    )  # fmt: skip
    kept = {n: v for n, v in request.headers.items() if same or n.lower() in _KEPT}
    return Request(request.method, url, kept)


async def _hop(request: Request, boundary: Boundary, max_bytes: int) -> Reply:
    url = request.url
    port = url.port or (443 if url.scheme == "https" else 80)
    addresses = await asyncio.to_thread(boundary.addresses, url.host, port)
    async with httpx.AsyncClient(trust_env=False, timeout=None) as client:
        for address in addresses:
            try:
                return await _exchange(client, request, address, max_bytes)
            except (httpx.ConnectError, httpx.ConnectTimeout) as fault:
                failure = fault
            except httpx.HTTPError as fault:
                raise _lost(url, fault) from None
    raise _lost(url, failure)


async def _exchange(
    client: httpx.AsyncClient, request: Request, address: str, max_bytes: int
) -> Reply:
    made = client.build_request(
        request.method,
        request.url.copy_with(host=address),
        headers={**request.headers, "Host": request.url.netloc.decode()},
        content=request.content,
        extensions={"sni_hostname": request.url.host},
    )
    answer = await client.send(made, stream=True)
    try:
        content = await _read(answer, max_bytes)
    finally:
        await answer.aclose()
    return Reply(answer.status_code, answer.headers, content)


async def _read(answer: httpx.Response, max_bytes: int) -> bytes:
    """Read an answer as it was meant, unpacked, and stop where it becomes too long."""
    content = bytearray()
    async for part in answer.aiter_bytes():
        content += part
        if len(content) > max_bytes:
            raise InvalidInput(
                f"The answer has more than {max_bytes} bytes.",
                next_step="Raise max_bytes, or ask for less.",
            )
    return bytes(content)


def _lost(url: httpx.URL, fault: Exception) -> Unavailable:
    """The text of a library's error may hold the URL, and that a secret: only its kind is told."""
    return Unavailable(
        f"{url.host} did not answer: {type(fault).__name__}.",
        next_step="Check that the server runs and that the worker reaches it.",
    )


def pointed(document: Any, pointer: str) -> Any:
    """Return what a JSON pointer (RFC 6901) leads to; raise KeyError where that is nothing."""
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(document, list) and key.isdecimal() and int(key) < len(document):
            document = document[int(key)]
        elif isinstance(document, dict) and key in document:
            document = document[key]
        else:
            raise KeyError(pointer)
    return document
