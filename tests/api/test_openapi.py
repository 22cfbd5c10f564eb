"""The published document and the page made from it."""

from html.parser import HTMLParser

from tests.api.server import Api
from tools.openapi import SNAPSHOT, rendered


def test_the_snapshot_is_that_of_the_routes() -> None:
    assert SNAPSHOT.read_text() == rendered(), "run: uv run python -m tools.openapi"


def test_every_operation_is_named_once_and_described(api: Api) -> None:
    document = api.anonymous().get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    operations = [
        (f"{method} {path}", operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    names = [operation["operationId"] for _, operation in operations]
    assert len(set(names)) == len(names)
    for where, operation in operations:
        assert operation.get("description"), f"{where} has no docstring"
        assert operation.get("tags"), f"{where} has no tag"
        assert "default" in operation["responses"]


def test_every_json_body_has_an_example(api: Api) -> None:
    document = api.anonymous().get("/openapi.json").json()
    schemas = document["components"]["schemas"]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {})
            if media := content.get("application/json"):
                schema = schemas[media["schema"]["$ref"].rpartition("/")[2]]
                assert "example" in schema or "examples" in schema, f"{method} {path}"


class _Outside(HTMLParser):
    """Collects whatever a browser would fetch or run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "link", "img", "iframe") or any(name == "src" for name, _ in attrs):
            self.found.append(tag)


def test_the_reference_page_shows_every_route_and_fetches_nothing(api: Api) -> None:
    client = api.anonymous()
    answer = client.get("/docs")
    assert answer.status_code == 200
    assert "script-src" not in answer.headers["content-security-policy"]
    seen = _Outside()
    seen.feed(answer.text)
    assert seen.found == []
    for path, methods in client.get("/openapi.json").json()["paths"].items():
        assert path in answer.text
        for operation in methods.values():
            assert f'id="{operation["operationId"]}"' in answer.text
