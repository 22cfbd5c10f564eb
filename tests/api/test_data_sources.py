"""Data sources over HTTP."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.server import Api

PATH = "/api/data-sources"


def make(client: httpx.Client, **given: Any) -> Any:
    body = {"name": "shop", "kind": "sqlite", "location": "/data/shop.db", **given}
    answer = client.post(PATH, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_a_source_is_registered_changed_archived_and_deleted(api_on_each: Api) -> None:
    admin = api_on_each.as_admin()
    made = make(admin)
    path = f"{PATH}/{made['id']}"
    assert made["state"] == "registered"
    assert admin.get(path).json() == made
    changed = admin.patch(path, json={"location": "/data/other.db"}).json()
    assert changed["location"] == "/data/other.db"
    assert admin.delete(path).status_code == 409
    assert admin.post(f"{path}/archive").json()["state"] == "archived"
    assert admin.patch(path, json={"name": "x"}).status_code == 409
    assert admin.delete(path).status_code == 204
    assert admin.get(path).status_code == 404


def test_lists_are_paged_and_filtered(api: Api) -> None:
    admin = api.as_admin()
    names = [make(admin, name=f"s{n}")["name"] for n in range(3)]
    first = admin.get(PATH, params={"limit": 2}).json()
    rest = admin.get(PATH, params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [s["name"] for s in first["items"] + rest["items"]] == names[::-1]
    assert rest["next_cursor"] is None
    assert admin.get(PATH, params={"state": "connected"}).json()["items"] == []


def test_a_second_source_of_a_name_is_refused(api: Api) -> None:
    admin = api.as_admin()
    made = make(admin)
    body = {"name": "shop", "kind": "sqlite", "location": "/x"}
    answer = admin.post(PATH, json=body)
    assert answer.status_code == 409
    assert made["id"] in answer.text


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"location": "postgresql://u:hunter2@h/d", "kind": "postgresql"}, "credential"),
        ({"location": "postgresql://h/d?password=hunter2", "kind": "postgresql"}, "password"),
        ({"location": "mongodb://u:hunter2@h/d", "kind": "postgresql"}, "mongodb"),
        ({"location": "postgresql://u:hunter2@h:port/d", "kind": "postgresql"}, "cannot be read"),
        ({"credential": "hunter2"}, "env:NAME"),
        ({"credential": "file:relative"}, "absolute"),
    ],
)
def test_secrets_are_refused_and_not_repeated(api: Api, given: dict[str, str], said: str) -> None:
    body = {"name": "shop", "kind": "sqlite", "location": "/x", **given}
    answer = api.as_admin().post(PATH, json=body)
    assert answer.status_code == 422
    assert said in answer.text
    assert "hunter2" not in answer.text


def test_the_life_cycle_is_told(api: Api) -> None:
    states = api.as_admin().get(f"{PATH}/states").json()
    assert states["connected"] == ["scanning", "configuring", "archived"]
    assert states["archived"] == []


def test_what_lies_in_another_workspace_is_not_found(api: Api) -> None:
    made = make(api.as_admin())
    api.new_workspace("sales")
    other = api.as_admin(**{"Racine-Workspace": "sales"})
    for path in ("", "/health"):
        assert other.get(f"{PATH}/{made['id']}{path}").status_code == 404
    assert other.post(f"{PATH}/{made['id']}/archive").status_code == 404
    assert other.get(PATH).json()["items"] == []


def test_rights_are_asked_for_and_can_be_one_source_only(api: Api) -> None:
    admin = api.as_admin()
    seen, hidden = make(admin, name="seen"), make(admin, name="hidden")
    reader = api.as_user(["data_sources:read"], scope=seen["id"])
    assert [s["name"] for s in reader.get(PATH).json()["items"]] == ["seen"]
    assert reader.get(f"{PATH}/{hidden['id']}").status_code in (403, 404)
    assert reader.patch(f"{PATH}/{seen['id']}", json={"name": "x"}).status_code == 403


def test_a_test_that_temporal_cannot_take_yet_is_kept(api: Api, tmp_path: Path) -> None:
    admin = api.as_admin()
    made = make(admin, location=str(tmp_path / "none.db"))
    answer = admin.post(f"{PATH}/{made['id']}/test")
    assert answer.status_code == 202
    run = admin.get(answer.headers["location"]).json()
    assert (run["id"], run["state"]) == (answer.json()["run_id"], "scheduled")
    assert run["parameters"] == {"source_id": made["id"]}


def test_secrets_are_written_and_never_read(api_on_each: Api) -> None:
    admin = api_on_each.as_admin()
    path = f"{PATH}/secrets"
    for value in ("first-value", "second-value"):
        answer = admin.put(f"{path}/shop-reader", json={"value": value})
        assert answer.status_code == 200
        assert value not in answer.text
    listed = admin.get(path)
    assert [s["name"] for s in listed.json()["items"]] == ["shop-reader"]
    assert "value" not in listed.text
    with api_on_each.db.engine.connect() as connection:
        sealed = connection.exec_driver_sql("SELECT sealed FROM secrets").scalar_one()
    assert b"second-value" not in bytes(sealed)
    assert admin.put(f"{path}/a b", json={"value": "x"}).status_code == 422
    assert admin.delete(f"{path}/shop-reader").status_code == 204
    assert admin.delete(f"{path}/shop-reader").status_code == 404
