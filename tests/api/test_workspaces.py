"""Workspaces over HTTP: their life, their versions, their members."""

from typing import Any

import httpx

from tests.api.server import Api


def make(client: httpx.Client, slug: str = "sales") -> Any:
    answer = client.post("/api/racine/workspaces", json={"slug": slug, "title": slug.title()})
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_a_workspace_lives_from_creation_to_deletion(api: Api) -> None:
    admin = api.as_admin()
    made = make(admin)
    path = f"/api/racine/workspaces/{made['id']}"
    assert made["state"] == "active"
    assert admin.delete(path, headers={"If-Match": '"1"'}).status_code == 409
    archived = admin.post(f"{path}/archive")
    assert archived.json()["state"] == "archived"
    assert admin.post(f"{path}/restore").json()["state"] == "active"
    gone = admin.post(f"{path}/archive").headers["etag"]
    assert admin.delete(path, headers={"If-Match": gone}).status_code == 204
    assert admin.get(path).status_code == 404
    assert [w["slug"] for w in admin.get("/api/racine/workspaces").json()["items"]] == ["main"]


def test_an_archived_workspace_is_only_read(api: Api) -> None:
    admin = api.as_admin()
    made = make(admin)
    admin.post(f"/api/racine/workspaces/{made['id']}/archive")
    inside = api.as_admin(**{"Racine-Workspace": "sales"})
    assert inside.get("/api/rbac/roles").status_code == 200
    role = {"name": "own", "permissions": ["catalog:read"]}
    refused = inside.post("/api/rbac/roles", json=role)
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")


def test_a_change_says_which_version_it_was_made_from(api: Api) -> None:
    admin = api.as_admin()
    made = make(admin)
    path = f"/api/racine/workspaces/{made['id']}"
    tag = admin.get(path).headers["etag"]
    change = {"title": "Selling"}
    assert admin.patch(path, json=change).status_code == 428
    assert admin.patch(path, json=change, headers={"If-Match": tag}).json()["title"] == "Selling"
    assert admin.patch(path, json=change, headers={"If-Match": tag}).status_code == 412


def test_a_slug_is_taken_once(api: Api) -> None:
    admin = api.as_admin()
    make(admin)
    again = admin.post("/api/racine/workspaces", json={"slug": "sales", "title": "S"})
    assert again.status_code == 409


def test_a_workspace_one_is_not_in_is_not_there(api: Api) -> None:
    made = make(api.as_admin())
    stranger = api.as_user(["*:*"])
    for path in (f"/api/racine/workspaces/{made['id']}", "/api/racine/workspaces/sales"):
        assert stranger.get(path).status_code == 404
    outside = stranger.get("/api/auth/profile", headers={"Racine-Workspace": "sales"})
    assert outside.status_code == 404


def test_a_member_enters_with_exactly_the_roles_given(api: Api) -> None:
    admin = api.as_admin()
    made = make(admin)
    member = api.as_user()
    user_id = member.get("/api/auth/profile").json()["id"]
    path = f"/api/racine/workspaces/{made['id']}/members"
    admin.put(f"{path}/{user_id}", json={"roles": ["reader", "steward"]}).raise_for_status()
    admin.put(f"{path}/{user_id}", json={"roles": ["steward"]}).raise_for_status()
    listed = {m["user_id"]: m["roles"] for m in admin.get(path).json()["items"]}
    assert listed[user_id] == ["steward"]
    switched = member.post(f"/api/racine/workspaces/{made['id']}/switch")
    assert switched.status_code == 200
    profile = member.get("/api/auth/profile").json()
    assert profile["workspace_id"] == made["id"]
    assert "catalog:approve" in profile["permissions"]
    assert "rbac:admin" not in profile["permissions"]
    assert admin.delete(f"{path}/{user_id}").status_code == 204
    assert member.get("/api/auth/profile").json()["workspace_id"] == api.workspace_id


def test_lists_go_page_by_page(api: Api) -> None:
    admin = api.as_admin()
    for n in range(5):
        make(admin, f"w{n}")
    seen, cursor = [], None
    while True:
        params = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = admin.get("/api/racine/workspaces", params=params).json()
        seen += [w["slug"] for w in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == ["w4", "w3", "w2", "w1", "w0", "main"]
    assert admin.get("/api/racine/workspaces?cursor=nonsense").status_code == 422
