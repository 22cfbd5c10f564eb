"""The OpenAPI document: what FastAPI derives, and what holds for every route."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

DESCRIPTION = """\
Racine finds an organisation's data, scans and classifies it, checks it against the law and keeps
the catalog true, as durable workflows.

Every error is a problem document (RFC 9457) whose `next_step` says what to do. Lists answer with
`items` and `next_cursor`. A POST with an `Idempotency-Key` has one effect however often it is sent.
"""

_WORKSPACE = {
    "name": "Racine-Workspace",
    "in": "header",
    "required": False,
    "description": "Id or slug of the workspace the request is about; else the one of the sign-in.",
    "schema": {"type": "string", "maxLength": 100},
}
_IDEMPOTENCY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "A UUID: sent again with the same body, the request has no second effect.",
    "schema": {"type": "string", "maxLength": 255},
}
_PROBLEM = {
    "type": "object",
    "title": "Problem",
    "required": ["type", "title", "status", "detail", "instance", "code", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "code": {"type": "string"},
        "request_id": {"type": "string"},
        "next_step": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    name: {"type": "string"} for name in ("pointer", "message", "next_step", "code")
                },
            },
        },
    },
    "example": {
        "type": "urn:racine:problem:not_found",
        "title": "Not Found",
        "status": 404,
        "detail": "There is no source 'src_01k9xq3v5m2y8e7c4t6w0r1s2b'.",
        "instance": "/api/data-sources/src_01k9xq3v5m2y8e7c4t6w0r1s2b",
        "code": "not_found",
        "request_id": "req_01k9xq3v5m2y8e7c4t6w0r1s2c",
    },
}
_ANY_PROBLEM = {
    "description": "A problem document.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


def install(app: FastAPI) -> None:
    """Have the application publish the completed document at `/openapi.json`."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = build(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def build(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of the application's routes."""
    document = get_openapi(
        title="Racine",
        version=app.version,
        description=DESCRIPTION,
        routes=app.routes,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = _PROBLEM
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for operations in document["paths"].values():
        for method, operation in operations.items():
            _complete(method, operation)
    return document


def _complete(method: str, operation: dict[str, Any]) -> None:
    operation["responses"].pop("422", None)
    operation["responses"]["default"] = _ANY_PROBLEM
    if "security" not in operation:
        return
    parameters = operation.setdefault("parameters", [])
    parameters.append(_WORKSPACE)
    if method == "post":
        parameters.append(_IDEMPOTENCY)
