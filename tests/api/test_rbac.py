"""Users, roles, grants and the decision, over HTTP."""

from typing import Any

import httpx
import pytest

from tests.api.server import ADMIN_PASSWORD, Api


def own_id(client: httpx.Client) -> str:
    return str(client.get("/api/auth/profile").json()["id"])


def grant(client: httpx.Client, **wish: Any) -> httpx.Response:
    return client.post("/api/rbac/grants", json=wish)


def test_a_grant_takes_hold_and_ends_at_once(api: Api) -> None:
    admin, user = api.as_admin(), api.as_user()
    assert user.get("/api/racine/activities").status_code == 403
    given = grant(admin, user_id=own_id(user), role="auditor", scope=api.workspace_id).json()
    assert user.get("/api/racine/activities").status_code == 200
    assert admin.delete(f"/api/rbac/grants/{given['id']}").status_code == 204
    assert user.get("/api/racine/activities").status_code == 403


def test_a_deny_overrides_and_the_decision_says_so(api: Api) -> None:
    admin, user = api.as_admin(), api.as_user(["activities:read"])
    scope = {"user_id": own_id(user), "scope": api.workspace_id}
    grant(admin, role="auditor", effect="deny", **scope).raise_for_status()
    answer = admin.get(
        "/api/rbac/decide", params={"permission": "activities:read", "user_id": own_id(user)}
    ).json()
    assert answer["allowed"] is False
    assert answer["reason"] == f"Role auditor on {api.workspace_id} denies activities:read."
    assert user.get("/api/racine/activities").status_code == 403


def test_nobody_raises_themselves(api: Api) -> None:
    owner = api.as_user(["rbac:admin", "rbac:read", "catalog:read"])
    me = own_id(owner)
    mate = own_id(api.as_user())
    tries = [
        grant(owner, user_id=me, role="reader", scope=api.workspace_id),
        grant(owner, user_id=mate, role="workspace_owner", scope=api.workspace_id),
        grant(owner, user_id=mate, role="reader", scope="tenant"),
        owner.post("/api/rbac/roles", json={"name": "all", "permissions": ["*:*"]}),
        owner.post(
            "/api/rbac/roles",
            json={"name": "wide", "permissions": ["catalog:read"], "shared": True},
        ),
        owner.post("/api/auth/keys", json={"name": "wide", "permissions": ["catalog:write"]}),
        owner.put(
            f"/api/racine/workspaces/{api.workspace_id}/members/{me}", json={"roles": ["reader"]}
        ),
        owner.put(
            f"/api/racine/workspaces/{api.workspace_id}/members/{mate}",
            json={"roles": ["workspace_owner"]},
        ),
    ]
    assert [answer.status_code for answer in tries] == [403] * len(tries)
    rows = api.as_admin().get("/api/racine/activities?outcome=denied").json()["items"]
    assert len([row for row in rows if row["actor_id"] == me]) == len(tries)


def test_a_role_of_ones_own(api: Api) -> None:
    admin = api.as_admin()
    role = {"name": "lookers", "title": "Look", "permissions": ["catalog:read"]}
    made = admin.post("/api/rbac/roles", json=role).json()
    user = api.as_user()
    given = grant(admin, user_id=own_id(user), role="lookers", scope=api.workspace_id)
    assert given.status_code == 201
    path = f"/api/rbac/roles/{made['id']}"
    admin.put(path, json={"permissions": ["catalog:*"]}).raise_for_status()
    assert "catalog:write" in user.get("/api/auth/profile").json()["permissions"]
    assert admin.delete(path).status_code == 409
    admin.delete(f"/api/rbac/grants/{given.json()['id']}").raise_for_status()
    assert admin.delete(path).status_code == 204


def test_built_in_roles_stay_and_unknown_permissions_are_named(api: Api) -> None:
    admin = api.as_admin()
    reader = next(r for r in admin.get("/api/rbac/roles").json()["items"] if r["name"] == "reader")
    change = {"permissions": ["*:*"]}
    assert admin.put(f"/api/rbac/roles/{reader['id']}", json=change).status_code == 409
    wrong = admin.post("/api/rbac/roles", json={"name": "x", "permissions": ["cat:read", "*:*"]})
    assert wrong.status_code == 422
    assert wrong.json()["errors"][0]["pointer"] == "/permissions/0"


def test_a_disabled_user_is_out_at_once(api: Api) -> None:
    admin, user = api.as_admin(), api.as_user(["catalog:read"])
    key = user.post("/api/auth/keys", json={"name": "k", "permissions": ["catalog:read"]}).json()
    by_key = api.anonymous(Authorization=f"Bearer {key['key']}")
    assert by_key.get("/api/auth/profile").status_code == 200
    change = {"state": "disabled"}
    assert admin.patch(f"/api/rbac/users/{own_id(user)}", json=change).status_code == 200
    assert user.get("/api/auth/profile").status_code == 401
    assert by_key.get("/api/auth/profile").status_code == 401


def test_the_last_administrator_stays(api: Api) -> None:
    admin = api.as_admin()
    assert (
        admin.patch(f"/api/rbac/users/{own_id(admin)}", json={"state": "disabled"}).status_code
        == 403
    )
    (only,) = admin.get("/api/rbac/grants?scope=tenant").json()["items"]
    assert admin.delete(f"/api/rbac/grants/{only['id']}").status_code == 409


def test_a_new_account_signs_in_and_changes_its_password(api: Api) -> None:
    admin = api.as_admin()
    account = {"email": "Grace@Example.org", "name": "Grace", "password": "nanoseconds on a wire"}
    assert admin.post("/api/rbac/users", json=account).status_code == 201
    assert admin.post("/api/rbac/users", json=account).status_code == 409
    grace = api.signed_in("grace@example.org", account["password"])
    other = api.signed_in("grace@example.org", account["password"])
    change = {"current": account["password"], "password": "a compiler is a translator"}
    assert grace.post("/api/auth/password", json={**change, "current": "no"}).status_code == 422
    assert grace.post("/api/auth/password", json=change).status_code == 204
    assert grace.get("/api/auth/profile").status_code == 200
    assert other.get("/api/auth/profile").status_code == 401
    with pytest.raises(httpx.HTTPStatusError, match="401"):
        api.signed_in("grace@example.org", account["password"])


@pytest.mark.parametrize(
    "password", ["short", "a" * 20, "my name is grace hopper", "x" * 129], ids=len
)
def test_a_weak_password_is_refused(api: Api, password: str) -> None:
    account = {"email": "grace@example.org", "name": "Grace", "password": password}
    answer = api.as_admin().post("/api/rbac/users", json=account)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/password"


def test_an_api_key_is_shown_once_and_works_in_its_workspace(api: Api) -> None:
    admin = api.as_admin()
    body = {"name": "ci", "permissions": ["activities:read"]}
    made = admin.post("/api/auth/keys", json=body).json()
    key = api.anonymous(Authorization=f"Bearer {made['key']}")
    assert key.get("/api/racine/activities").status_code == 200
    assert key.get("/api/rbac/roles").status_code == 403
    assert key.post("/api/auth/keys", json=body).status_code == 403
    listed = admin.get("/api/auth/keys")
    assert made["key"] not in listed.text
    assert listed.json()["items"][0]["last_used_at"] is not None
    api.new_workspace("other")
    elsewhere = key.get("/api/racine/activities", headers={"Racine-Workspace": "other"})
    assert elsewhere.status_code == 404
    assert admin.delete(f"/api/auth/keys/{made['id']}").status_code == 204
    assert key.get("/api/racine/activities").status_code == 401


def test_the_log_tells_who_did_what(api: Api) -> None:
    admin = api.as_admin()
    answer = admin.post("/api/rbac/roles", json={"name": "x", "permissions": ["catalog:read"]})
    (row,) = admin.get("/api/racine/activities?action=role.*").json()["items"]
    assert row["action"] == "role.create"
    assert row["object_id"] == answer.json()["id"]
    assert row["actor_name"] == "Administrator"
    assert row["request_id"] == answer.headers["x-request-id"]
    assert row["origin"] == "127.0.0.1"
    assert row["after"]["permissions"] == ["catalog:read"]
    tenant = admin.get("/api/racine/activities?tenant=true").text
    assert "sign_in.create" in tenant
    assert ADMIN_PASSWORD not in tenant
