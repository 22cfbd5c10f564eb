"""Problem details (RFC 9457) for every error: Racine's, the framework's, and the unforeseen."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, TypedDict

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from temporalio.service import RPCError, RPCStatusCode

from models.session import Database
from racine import errors
from racine.errors import Fault, RacineError
from services import access, audit
from services.access import Actor

_STATUS: dict[type[RacineError], HTTPStatus] = {
    errors.InvalidInput: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.PreconditionFailed: HTTPStatus.PRECONDITION_FAILED,
    errors.PreconditionRequired: HTTPStatus.PRECONDITION_REQUIRED,
    errors.Unauthenticated: HTTPStatus.UNAUTHORIZED,
    errors.Forbidden: HTTPStatus.FORBIDDEN,
    errors.TooManyRequests: HTTPStatus.TOO_MANY_REQUESTS,
    errors.SourceFault: HTTPStatus.BAD_GATEWAY,
    errors.Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}
_RETRY_SECONDS = 2
_UNREACHABLE = (RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED)

_log = structlog.get_logger("api")


def problem(
    status: HTTPStatus | int,
    code: str,
    detail: str,
    *,
    path: str,
    request_id: str,
    next_step: str = "",
    faults: tuple[Fault, ...] = (),
    details: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Return a problem document; `details` become members of its own."""
    status = HTTPStatus(status)
    body: dict[str, Any] = {
        "type": f"urn:racine:problem:{code}",
        "title": status.phrase,
        "status": int(status),
        "detail": detail,
        "instance": path,
        "code": code,
        "request_id": request_id,
    }
    if next_step:
        body["next_step"] = next_step
    if faults:
        body["errors"] = [
            {"pointer": f.pointer, "message": f.message, "next_step": f.next_step, "code": f.code}
            for f in faults
        ]
    body |= {key: value for key, value in (details or {}).items() if key not in body}
    return JSONResponse(
        body, status, headers=dict(headers or {}), media_type="application/problem+json"
    )


def of_error(error: RacineError, *, path: str, request_id: str) -> JSONResponse:
    """Return the problem that one of Racine's errors is."""
    status = next(
        (_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS),
        HTTPStatus.INTERNAL_SERVER_ERROR,
    )
    headers = {}
    if status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS):
        headers["Retry-After"] = str(error.details.get("retry_after", _RETRY_SECONDS))
    if status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return problem(
        status,
        error.code,
        error.message,
        path=path,
        request_id=request_id,
        next_step=error.next_step,
        faults=error.faults,
        details=error.details,
        headers=headers,
    )


def translated(error: Exception) -> RacineError | None:
    """Return Racine's error for a library's that has a plain meaning, None for any other."""
    if isinstance(error, RacineError):
        return error
    if isinstance(error, RPCError) and error.status in _UNREACHABLE:
        return errors.Unavailable("Temporal does not answer.", next_step="Try again shortly.")
    if isinstance(error, IntegrityError):
        return errors.Conflict(
            "The change contradicts what is stored, or another request was first.",
            next_step="Read the object again.",
        )
    if isinstance(error, PoolTimeout | OperationalError) or (
        isinstance(error, DBAPIError) and error.connection_invalidated
    ):
        return errors.Unavailable("The database does not answer.", next_step="Try again shortly.")
    return None


def unexpected(error: Exception, *, path: str, request_id: str) -> JSONResponse:
    """Return a problem that says nothing of the cause; the log has it under the request's id."""
    known = translated(error)
    if known is not None:
        _log.warning("request_failed", error=type(error).__name__, code=known.code)
        return of_error(known, path=path, request_id=request_id)
    _log.error("request_broke", exc_info=error)
    return problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal_error",
        "Racine failed to answer this request.",
        path=path,
        request_id=request_id,
        next_step="The server's log has the cause under this request's id.",
    )


def register(app: FastAPI) -> None:
    """Answer what the routing layer raises; anything else is caught at the outer edge."""
    app.add_exception_handler(RacineError, _racine)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _framework)


def _racine(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RacineError)
    actor: Actor | None = getattr(request.state, "actor", None)
    if actor is not None and isinstance(error, errors.Forbidden | access.Hidden):
        db: Database = request.app.state.racine.db
        audit.denied(db, actor, request.method, request.url.path, error.details)
    return of_error(error, **_where(request))


def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    # Without the offending value: it may be a secret typed into the wrong field.
    faults = tuple(
        Fault(_pointer(fault["loc"]), fault["msg"], code=fault["type"]) for fault in error.errors()
    )
    return problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        errors.InvalidInput.code,
        "The request does not fit what this address takes.",
        next_step="Correct each place named in `errors`; /docs shows what is expected.",
        faults=faults,
        **_where(request),
    )


def _pointer(place: tuple[int | str, ...]) -> str:
    where, *rest = place
    escaped = [str(part).replace("~", "~0").replace("/", "~1") for part in rest]
    # A JSON pointer into the body; a query or header parameter is named with its kind.
    parts = escaped if where == "body" else [str(where), *escaped]
    return "".join(f"/{part}" for part in parts)


def _framework(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    return problem(
        status,
        status.name.lower(),
        str(error.detail),
        headers=error.headers,
        **_where(request),
    )


class _Where(TypedDict):
    path: str
    request_id: str


def _where(request: Request) -> _Where:
    return {"path": request.url.path, "request_id": request.state.request_id}
