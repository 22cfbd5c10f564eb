"""Signing in, over HTTP."""

from sqlalchemy import text

from tests.api.server import ADMIN_PASSWORD, Api


def test_the_first_administrator_may_everything(api: Api) -> None:
    profile = api.as_admin().get("/api/auth/profile").json()
    assert profile["email"] == "admin@racine.local"
    assert profile["workspace_id"] == api.workspace_id
    assert "rbac:admin" in profile["permissions"]


def test_nobody_may_nothing(api: Api) -> None:
    answer = api.anonymous().get("/api/auth/profile")
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


def test_a_wrong_password_and_an_unknown_account_read_alike(api: Api) -> None:
    answers = [
        api.anonymous().post("/api/auth/login", json={"email": email, "password": "wrong"}).json()
        for email in ("admin@racine.local", "nobody@example.org")
    ]
    assert answers[0]["status"] == answers[1]["status"] == 401
    assert answers[0]["detail"] == answers[1]["detail"]


def test_after_logout_the_token_is_refused(api: Api) -> None:
    client = api.as_admin()
    assert client.post("/api/auth/logout").status_code == 204
    assert client.get("/api/auth/profile").status_code == 401


def test_a_refresh_token_used_twice_ends_the_sign_in(api: Api) -> None:
    client = api.anonymous()
    body = {"email": "admin@racine.local", "password": ADMIN_PASSWORD}
    first = client.post("/api/auth/login", json=body).json()
    token = {"refresh_token": first["refresh_token"]}
    second = client.post("/api/auth/refresh", json=token).json()
    bearer = {"Authorization": f"Bearer {second['access_token']}"}
    assert client.get("/api/auth/profile", headers=bearer).status_code == 200
    assert client.post("/api/auth/refresh", json=token).status_code == 401
    assert client.get("/api/auth/profile", headers=bearer).status_code == 401


def test_ten_failed_tries_make_the_next_one_wait(api: Api) -> None:
    client = api.anonymous()
    body = {"email": "admin@racine.local", "password": "wrong"}
    for _ in range(10):
        assert client.post("/api/auth/login", json=body).status_code == 401
    answer = client.post("/api/auth/login", json={**body, "password": ADMIN_PASSWORD})
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0


def test_a_key_reads_while_the_database_takes_no_writes(api: Api) -> None:
    made = api.as_admin().post("/api/auth/keys", json={"name": "k", "permissions": ["*:*"]}).json()
    with api.db.write() as session:
        session.execute(text("SELECT 1"))  # whoever else wants to write gives up after 10 s
        headers = {"Authorization": f"Bearer {made['key']}"}
        answer = api.anonymous().get("/api/racine/workflows", headers=headers, timeout=60)
    assert answer.status_code == 200
