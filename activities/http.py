"""The activity behind `http_task`: one request to an address that was checked."""

import asyncio
import json
import secrets
from typing import Any

from temporalio import activity

from activities import rights
from activities.attempts import Attempt, Attempts, Performed
from activities.connectors.boundary import Boundary
from activities.exchange import Reply, Request, checked_url, pointed, send
from activities.names import HTTP
from activities.opening import reveal
from models.messages import TaskCall, TaskOutput
from models.settings import Settings
from models.stores import blobs
from racine.definitions.given import parsed
from racine.definitions.kinds.http import SECRET, HttpTask
from racine.errors import ContractBroken, RequestRefused, Unavailable

_LOOK_SECONDS = 0.2
_TRY_LATER = (408, 425, 429, 500, 502, 503, 504)
_ADVICE = "Give a public address, or let an operator add this one to RACINE_REQUEST_HOSTS."


class HttpTasks:
    """Sends the requests of jobs."""

    def __init__(self, attempts: Attempts) -> None:
        self._attempts = attempts

    @activity.defn(name=HTTP, no_thread_cancel_exception=True)
    def run(self, call: TaskCall) -> TaskOutput:
        """Make one attempt of an http_task."""
        mark = f"secret-{secrets.token_hex(16)}:"

        def work(attempt: Attempt, given: dict[str, Any]) -> Performed:
            return self._work(attempt, parsed(HttpTask, "http_task", given), mark)

        # No expression may see a secret: a mark that nobody can guess takes its place meanwhile.
        hidden = {n: SECRET.sub(rf"{mark}\1;", v) for n, v in call.input["headers"].items()}
        masked = call.model_copy(update={"input": {**call.input, "headers": hidden}})
        return self._attempts.carry_out(masked, work)

    def _work(self, attempt: Attempt, task: HttpTask, mark: str) -> Performed:
        rights.require(self._attempts.db, attempt.call.context, "workflows:run")
        request = self._request(attempt, task, mark)
        reply = asyncio.run(self._exchanged(attempt, task, request))
        self._refuse_unexpected(task, request, reply)
        return Performed(self._values(attempt, task, reply), {"status": reply.status})

    async def _exchanged(self, attempt: Attempt, task: HttpTask, request: Request) -> Reply:
        """Send the request; break it off when the attempt is cancelled or out of time."""
        work = asyncio.create_task(send(request, self._boundary(), task.max_bytes))
        try:
            async with asyncio.timeout(task.timeout_seconds):
                while not work.done():
                    attempt.heartbeat()  # raises when the attempt was cancelled
                    await asyncio.wait([work], timeout=_LOOK_SECONDS)
        except TimeoutError:
            raise Unavailable(
                f"{request.url.host} took longer than {task.timeout_seconds:g} s.",
                next_step="Raise timeout_seconds, or ask for less.",
            ) from None
        finally:
            work.cancel()
            await asyncio.wait([work])
        return work.result()

    def _boundary(self) -> Boundary:
        settings = Settings(database_url=self._attempts.db.url)
        return Boundary(
            loopback=False, private=False, opened=settings.request_hosts, advice=_ADVICE
        )

    def _request(self, attempt: Attempt, task: HttpTask, mark: str) -> Request:
        url = checked_url(task.url)
        if task.query:
            url = url.copy_merge_params({k: _text(v) for k, v in task.query.items()})
        headers = {n: self._revealed(attempt, v, mark) for n, v in task.headers.items()}
        content = None
        if task.body is not None:
            content = json.dumps(task.body, allow_nan=False).encode()
            headers = {"Content-Type": "application/json", **headers}
        if task.once:
            call = attempt.call
            key = f"{call.context.run_id}/{call.task_key}/{call.try_number}"
            headers = {"Idempotency-Key": key, **headers}
        return Request(task.method, url, {"User-Agent": "racine", **headers}, content)

    def _revealed(self, attempt: Attempt, value: str, mark: str) -> str:
        text, *rest = value.split(mark)
        for part in rest:
            name, _, after = part.partition(";")
            context = attempt.call.context
            rights.require(self._attempts.db, context, "data_sources:write")
            text += reveal(self._attempts.db, context.workspace_id, f"secret:{name}") + after
        return text

    def _refuse_unexpected(self, task: HttpTask, request: Request, reply: Reply) -> None:
        expected = task.expected_status or range(200, 300)
        if reply.status in expected:
            return
        details: dict[str, Any] = {"status": reply.status}
        after = reply.headers.get("retry-after", "")
        if after.isdecimal():
            details["retry_after"] = min(int(after), 86_400)
        kind = Unavailable if reply.status in _TRY_LATER else RequestRefused
        raise kind(
            f"{request.url.host} answered {reply.status} to {request.method}.",
            next_step="Name it in expected_status if it is no failure.",
            details=details,
        )

    def _values(self, attempt: Attempt, task: HttpTask, reply: Reply) -> dict[str, Any]:
        type_ = reply.headers.get("content-type", "")
        values: dict[str, Any] = {
            "status": reply.status, "bytes": len(reply.content), "content_type": type_[:200],
        }  # fmt: skip
        textual = "json" in type_ or type_.startswith("text/")
        if not task.values_from and textual:
            return {**values, "body": _body(reply, type_)}
        if reply.content:
            with self._attempts.db.write() as session:
                kind = type_[:100] or "application/octet-stream"
                values["body_ref"] = blobs.put(session, attempt.call.context, reply.content, kind)
        if task.values_from:
            document = _body(reply, "application/json")
            values |= {n: _found(document, p) for n, p in task.values_from.items()}
        return values


def _body(reply: Reply, type_: str) -> Any:
    text = reply.content.decode("utf-8", "replace")
    if "json" not in type_ or not text:
        return text
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise ContractBroken(
            "The answer is no JSON.", next_step="Leave values_from out, or ask the server for JSON."
        ) from None


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)


def _found(document: Any, pointer: str) -> Any:
    try:
        return pointed(document, pointer)
    except KeyError:
        raise ContractBroken(
            f"The answer has nothing at {pointer!r}.", next_step="Correct values_from."
        ) from None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
