"""The outermost layer: request ids, security headers, one log line each, and no naked error."""

import re
import time

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import metrics
from api.errors import unexpected
from racine.ids import new_id
from services.access import Actor

_GIVEN_ID = re.compile(r"[A-Za-z0-9_.-]{8,64}")
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}

_PROBES = frozenset({"/livez", "/readyz", "/metrics"})
"""Asked every few seconds by machines: their lines would bury those of people."""

_log = structlog.get_logger("api")


class Edge:
    """Gives each request its id and each response its headers; turns any escape into a problem."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        began = time.perf_counter()
        status = 0

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                _check_asked(scope, message["status"])
                status = message["status"]
                _add_headers(message, request_id)
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, send_on)
            except Exception as error:
                if status:
                    # The answer has begun and cannot be taken back: break it off.
                    raise
                answer = unexpected(error, path=scope["path"], request_id=request_id)
                await answer(scope, receive, send_on)
            taken = time.perf_counter() - began
            metrics.observe(scope, status, taken)
            tell = _log.debug if scope["path"] in _PROBES else _log.info
            tell(
                "request",
                method=scope["method"],
                path=scope["path"],
                status=int(status),
                milliseconds=round(taken * 1000, 1),
            )


def _check_asked(scope: Scope, status: int) -> None:
    """Refuse to answer what nobody asked a right for: a route that forgot fails closed."""
    actor: Actor | None = scope["state"].get("actor")
    if status < 400 and actor is not None and not actor.asked:
        raise RuntimeError(f"{scope['method']} {scope['path']} asked for no permission")


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            given = value.decode("latin-1")
            # Anything else could write into the log what it likes.
            return given if _GIVEN_ID.fullmatch(given) else new_id("req")
    return new_id("req")


def _add_headers(message: Message, request_id: str) -> None:
    headers = MutableHeaders(scope=message)
    headers["X-Request-Id"] = request_id
    for name, value in _HEADERS.items():
        headers.setdefault(name, value)
