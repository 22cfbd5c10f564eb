"""Every call that changes something, or is refused, leaves exactly one row."""

from collections.abc import Callable
from typing import Any

import httpx
from sqlalchemy import select, text

from models.stores import activities
from models.tables.activities import Activity
from tests.api.server import Api


def rows(api: Api) -> list[Activity]:
    with api.db.read() as session:
        return list(session.scalars(select(Activity).order_by(Activity.chain, Activity.number)))


def test_each_change_leaves_one_row(api: Api) -> None:
    admin, user = api.as_admin(), api.as_user()
    user_id = user.get("/api/auth/profile").json()["id"]
    ws = admin.post("/api/racine/workspaces", json={"slug": "s", "title": "S"}).json()["id"]
    path = f"/api/racine/workspaces/{ws}"
    account = {"email": "a@example.org", "name": "A", "password": "nanoseconds on a wire"}
    role = {"name": "own", "permissions": ["catalog:read"]}
    calls: list[Callable[[], httpx.Response]] = [
        lambda: admin.post("/api/rbac/users", json=account),
        lambda: admin.patch(f"/api/rbac/users/{user_id}", json={"name": "B"}),
        lambda: admin.post("/api/rbac/roles", json=role),
        lambda: admin.patch(path, json={"title": "T"}, headers={"If-Match": '"1"'}),
        lambda: admin.put(f"{path}/members/{user_id}", json={"roles": ["reader"]}),
        lambda: admin.delete(f"{path}/members/{user_id}"),
        lambda: admin.post(f"{path}/switch"),
        lambda: admin.post(f"{path}/archive"),
        lambda: admin.post(f"{path}/restore"),
        lambda: admin.post("/api/auth/keys", json={"name": "k", "permissions": ["catalog:read"]}),
        lambda: admin.patch("/api/auth/profile", json={"name": "Root"}),
        lambda: admin.post("/api/auth/logout"),
        lambda: user.get("/api/rbac/users"),
        lambda: user.get(path),
    ]
    for call in calls:
        before = {row.id for row in rows(api)}
        answer = call()
        new = [row for row in rows(api) if row.id not in before]
        assert [row.request_id for row in new] == [answer.headers["x-request-id"]], answer.url
        assert new[0].outcome == ("done" if answer.is_success else "denied")


def test_reading_and_failing_leave_none(api: Api) -> None:
    admin = api.as_admin()
    before = len(rows(api))
    admin.get("/api/rbac/users")
    admin.post("/api/rbac/users", json={})
    admin.get("/api/rbac/users/usr_nobody")
    api.anonymous().get("/api/rbac/users")
    assert len(rows(api)) == before


def test_each_chain_is_whole(api_on_each: Api) -> None:
    admin = api_on_each.as_admin()
    for n in range(5):
        role = {"name": f"r{n}", "permissions": ["catalog:read"]}
        admin.post("/api/rbac/roles", json=role).raise_for_status()
    newest: dict[str, tuple[int, str]] = {}
    for row in rows(api_on_each):
        number, previous = newest.get(row.chain, (0, activities.FIRST_HASH))
        values: dict[str, Any] = {c.name: getattr(row, c.name) for c in Activity.__table__.columns}
        assert (row.number, row.previous_hash) == (number + 1, previous)
        assert activities.digest(values) == row.hash
        newest[row.chain] = (row.number, row.hash)
    assert set(newest) == {"tenant", api_on_each.workspace_id}


def test_verifying_names_the_first_row_that_is_not_as_it_was_written(api_on_each: Api) -> None:
    api, admin = api_on_each, api_on_each.as_admin()
    for n in range(5):
        role = {"name": f"r{n}", "permissions": ["catalog:read"]}
        admin.post("/api/rbac/roles", json=role).raise_for_status()
    url = "/api/racine/activities/verify"
    chain = [row for row in rows(api) if row.chain == api.workspace_id]
    answer = admin.get(url).json()
    assert answer == {"whole": True, "checked": len(chain), "first_bad": None}
    assert admin.get(url, params={"tenant": True}).json()["whole"]
    third = chain[2]
    with api.db.write() as session:
        session.execute(text("UPDATE activities SET actor_name = 'X' WHERE id = :id"),
                        {"id": third.id})  # fmt: skip
    assert admin.get(url).json() == {
        "whole": False, "checked": 2,
        "first_bad": {"number": 3, "id": third.id,
                      "reason": "The row was changed after it was written."},
    }  # fmt: skip
    with api.db.write() as session:
        session.execute(text("DELETE FROM activities WHERE id = :id"), {"id": third.id})
    assert admin.get(url).json()["first_bad"] == {
        "number": 3, "id": None, "reason": "The row is missing.",
    }  # fmt: skip
    assert api.as_user(["catalog:read"]).get(url).status_code == 403


def test_verifying_misses_no_row_cut_off_the_end(api: Api) -> None:
    admin = api.as_admin()
    admin.post("/api/rbac/roles", json={"name": "r", "permissions": ["catalog:read"]})
    newest = [row for row in rows(api) if row.chain == api.workspace_id][-1]
    with api.db.write() as session:
        session.execute(text("DELETE FROM activities WHERE id = :id"), {"id": newest.id})
    bad = admin.get("/api/racine/activities/verify").json()["first_bad"]
    assert bad["number"] == newest.number
