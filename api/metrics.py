"""Counts and durations of requests, for Prometheus."""

from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest
from starlette.responses import Response
from starlette.types import Scope

_requests = Counter(
    "racine_http_requests", "Requests by route and status.", ["method", "route", "status"]
)
_seconds = Histogram(
    "racine_http_request_seconds",
    "Time from a request's first byte to its answer's last.",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})


def observe(scope: Scope, status: int, seconds: float) -> None:
    """Count a request under its route's template: an address would be a series of its own."""
    route = getattr(scope.get("route"), "path", "(none)")
    method = scope["method"] if scope["method"] in _METHODS else "(other)"
    _requests.labels(method, route, str(status)).inc()
    _seconds.labels(method, route).observe(seconds)


def exposition() -> Response:
    """Return everything counted, in the text format."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
