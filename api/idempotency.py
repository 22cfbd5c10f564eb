"""`Idempotency-Key` on POST: the same request again gets the first one's answer."""

import asyncio
import re
from typing import Any

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.deps import State, asking
from api.errors import of_error
from racine.errors import Fault, InvalidInput, NotFound, RacineError, Unauthenticated
from services import access, sign_in
from services.access import Actor
from services.idempotency import Answer, InFlight, Ticket

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_KEPT_HEADERS = ("content-type", "location", "etag", "retry-after")
_MAX_KEPT = 1024 * 1024
_PATIENCE_SECONDS = 10.0
_PAUSE_SECONDS = 0.05


class Idempotency:
    """Carries a keyed POST out once; whoever sends it meanwhile waits a while for its answer."""

    def __init__(self, app: ASGIApp, patience: float = _PATIENCE_SECONDS) -> None:
        self._app = app
        self._patience = patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = _key(scope)
        if key is None:
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        try:
            if not _KEY.fullmatch(key):
                raise _not_a_key()
            found = await self._claim(request, key)
        except (Unauthenticated, NotFound):
            # The route says so itself.
            await self._app(scope, receive, send)
            return
        except RacineError as error:
            answer = of_error(error, path=scope["path"], request_id=request.state.request_id)
            await answer(scope, receive, send)
            return
        if isinstance(found, Answer):
            # It is the caller's own answer, given after its rights were asked for.
            access.signed_in(request.state.actor)
            await _send(send, found, replayed=True)
            return
        await self._carry_out(found, scope, receive, send)

    async def _claim(self, request: Request, key: str) -> Ticket | Answer:
        actor = await run_in_threadpool(_authenticate, request, await asking(request))
        racine: State = request.app.state.racine
        body: bytes = request.state.body
        # The query belongs to the request; the address alone is what the log may show.
        address = f"{request.url.path}?{request.url.query}"
        deadline = asyncio.get_running_loop().time() + self._patience
        pause = _PAUSE_SECONDS
        while True:
            try:
                return await run_in_threadpool(
                    racine.keeper.claim, actor, key, request.method, address, body
                )
            except InFlight:
                if asyncio.get_running_loop().time() + pause > deadline:
                    raise
            await asyncio.sleep(pause)
            pause = min(pause * 2, 1.0)

    async def _carry_out(self, ticket: Ticket, scope: Scope, receive: Receive, send: Send) -> None:
        keeper = scope["app"].state.racine.keeper
        scope["state"]["ticket"] = ticket
        answer = _Collected()
        try:
            await self._app(scope, receive, answer.take)
        except BaseException:
            await asyncio.shield(run_in_threadpool(keeper.release, ticket))
            raise
        await asyncio.shield(run_in_threadpool(_settle, keeper, ticket, answer.whole()))
        await _send(send, answer.whole(), replayed=False)


def _settle(keeper: Any, ticket: Ticket, answer: Answer) -> None:
    failed = answer.status >= 400
    if failed and keeper.release(ticket):
        return
    if len(answer.body) <= _MAX_KEPT:
        keeper.keep(ticket, answer)


def _authenticate(request: Request, said: sign_in.Request) -> Actor:
    racine: State = request.app.state.racine
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated("Nobody is signed in.")
    actor = sign_in.authenticate(racine.db, racine.signer, bearer, said)
    request.state.actor = actor
    return actor


class _Collected:
    """A response, taken in instead of sent."""

    def __init__(self) -> None:
        self._status = 500
        self._headers: dict[str, str] = {}
        self._chunks: list[bytes] = []

    async def take(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = int(message["status"])
            for name, value in message["headers"]:
                self._headers[name.decode("latin-1")] = value.decode("latin-1")
        else:
            self._chunks.append(message.get("body", b""))

    def whole(self) -> Answer:
        kept = {name: self._headers[name] for name in _KEPT_HEADERS if name in self._headers}
        return Answer(self._status, kept, b"".join(self._chunks))


async def _send(send: Send, answer: Answer, *, replayed: bool) -> None:
    headers = {**answer.headers, "content-length": str(len(answer.body))}
    if replayed:
        headers["idempotency-replayed"] = "true"
    if answer.status == 204:
        del headers["content-length"]
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": raw})
    await send({"type": "http.response.body", "body": answer.body})


def _key(scope: Scope) -> str | None:
    if scope["type"] != "http" or scope["method"] != "POST":
        return None
    for name, value in scope["headers"]:
        if name == b"idempotency-key":
            return str(value.decode("latin-1"))
    return None


def _not_a_key() -> InvalidInput:
    return InvalidInput(
        "The Idempotency-Key cannot be used.",
        faults=[Fault("/header/Idempotency-Key", "It has 1 to 255 visible ASCII characters.")],
        next_step="Send a UUID.",
    )
