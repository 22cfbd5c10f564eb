"""The API's reference as one page, without script and without anything from elsewhere."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from api import reference

router = APIRouter(include_in_schema=False)

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"


@router.get("/docs")
def docs(request: Request) -> HTMLResponse:
    """Show what every route takes and answers."""
    return HTMLResponse(
        reference.page(request.app.openapi()), headers={"Content-Security-Policy": _POLICY}
    )
