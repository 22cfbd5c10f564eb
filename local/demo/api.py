"""Speaks to a running Racine as any client would: HTTP with a bearer token."""

import json
from collections.abc import Iterator
from typing import Any

import httpx

from racine.errors import RacineError, Unavailable

Json = dict[str, Any]

_SECONDS = 30.0
_PAGE = 100


class Refused(RacineError):
    """The API answered with a problem document."""

    code = "refused"


class Api:
    """One signed-in client."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=_SECONDS, trust_env=False)

    def sign_in(self, email: str, password: str) -> None:
        tokens = self.post("/api/auth/login", {"email": email, "password": password})
        self._http.headers["Authorization"] = f"Bearer {tokens['access_token']}"

    def get(self, path: str, **query: Any) -> Json:
        return self._ask("GET", path, params={k: v for k, v in query.items() if v is not None})

    def post(self, path: str, body: Json) -> Json:
        return self._ask("POST", path, json=body)

    def patch(self, path: str, body: Json) -> Json:
        return self._ask("PATCH", path, json=body)

    def every(self, path: str, **query: Any) -> Iterator[Json]:
        """Yield the items of all pages."""
        cursor: str | None = None
        while True:
            page = self.get(path, limit=_PAGE, cursor=cursor, **query)
            yield from page["items"]
            cursor = page.get("next_cursor")
            if cursor is None:
                return

    def follow(self, run_id: str) -> Iterator[Json]:
        """Yield a run's events as they happen, until it has ended."""
        path = f"/api/racine/workflows/executions/{run_id}/logs/stream"
        with self._http.stream("GET", path) as answer:
            if answer.is_error:
                answer.read()
                raise _refusal(answer)
            for line in answer.iter_lines():
                if line == "event: end":
                    return
                if line.startswith("data:"):
                    yield json.loads(line.removeprefix("data:"))

    def close(self) -> None:
        self._http.close()

    def _ask(self, method: str, path: str, **rest: Any) -> Json:
        try:
            answer = self._http.request(method, path, **rest)
        except httpx.HTTPError as error:
            raise Unavailable(f"{method} {path} was not answered: {error}.") from error
        if answer.is_error:
            raise _refusal(answer)
        found: Json = answer.json() if answer.content else {}
        return found


def _refusal(answer: httpx.Response) -> Refused:
    try:
        problem = answer.json()
    except ValueError:
        problem = {"detail": answer.text}
    request = answer.request
    return Refused(
        f"{request.method} {request.url.path} was answered {answer.status_code}: "
        f"{problem.get('detail') or problem.get('title')}",
        next_step=problem.get("next_step") or "",
        details=problem,
    )
