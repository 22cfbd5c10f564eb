"""Every refusal of the framework is a problem document."""

import pytest

from tests.api.server import Api


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/nowhere", 404),
        ("DELETE", "/api/auth/profile", 405),
        ("POST", "/api/auth/login", 422),
    ],
)
def test_framework_errors_are_problems(api: Api, method: str, path: str, status: int) -> None:
    answer = api.anonymous().request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert (body["status"], body["instance"]) == (status, path)
    assert body["request_id"] == answer.headers["x-request-id"]


def test_a_validation_problem_points_at_the_field_and_keeps_its_value_back(api: Api) -> None:
    secret = "hunter2-typed-into-the-wrong-field"
    answer = api.anonymous().post("/api/auth/login", json={"email": "a", "passwort": secret})
    pointers = {fault["pointer"] for fault in answer.json()["errors"]}
    assert pointers == {"/password", "/passwort"}
    assert secret not in answer.text


def test_security_headers_are_on_every_answer(api: Api) -> None:
    for path in ("/api/nowhere", "/api/auth/profile"):
        headers = api.anonymous().get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["cache-control"] == "no-store"


def test_a_request_id_of_the_caller_is_kept_when_it_is_harmless(api: Api) -> None:
    client = api.anonymous()
    kept = client.get("/api/nowhere", headers={"X-Request-Id": "trace-0123456789"})
    assert kept.headers["x-request-id"] == "trace-0123456789"
    forged = client.get("/api/nowhere", headers={"X-Request-Id": "a\tFORGED LOG LINE"})
    assert forged.headers["x-request-id"].startswith("req_")
