"""Scan rule sets over HTTP."""

from tests.api.server import Api

PATH = "/api/scan-rule-sets"


def test_versions_never_change_and_are_compared(api_on_each: Api) -> None:
    admin = api_on_each.as_admin()
    made = admin.post(PATH, json={"name": "shop", "rules": {"include": ["public.*"]}}).json()
    path = f"{PATH}/{made['id']}"
    same = admin.post(f"{path}/versions", json={"rules": {"include": ["public.*"]}}).json()
    assert same["version"] == made["version"] == 1
    new = {"include": ["public.*"], "exclude": ["*_old"], "sample": "all"}
    assert admin.post(f"{path}/versions", json={"rules": new}).json()["version"] == 2
    assert admin.get(f"{path}/versions/1").json()["rules"]["exclude"] == []
    assert admin.get(path).json()["rules"]["exclude"] == ["*_old"]
    found = admin.get(f"{path}/diff", params={"before": 1, "after": 2}).json()
    assert found == [
        {"field": "exclude", "before": [], "after": ["*_old"]},
        {"field": "sample", "before": 1000, "after": "all"},
    ]
    assert [v["number"] for v in admin.get(f"{path}/versions").json()["items"]] == [2, 1]
    assert admin.delete(path).status_code == 204
    assert admin.get(path).status_code == 404


def test_why_an_asset_is_in_or_out(api: Api) -> None:
    admin = api.as_admin()
    rules = {"include": ["public.*", "hr/**"], "exclude": ["*_old", "!public.keep_old"]}
    made = admin.post(PATH, json={"name": "shop", "rules": rules}).json()
    names = ["public.customers", "public.customers_old", "PUBLIC.KEEP_OLD", "hr/a/b.csv", "other.x"]
    answer = admin.post(f"{PATH}/{made['id']}/explain", json={"assets": names}).json()
    assert [(a["included"], a["pattern"]) for a in answer] == [
        (True, "public.*"),
        (False, "*_old"),
        (True, "public.*"),
        (True, "hr/**"),
        (False, None),
    ]
    everything = admin.post(f"{PATH}/system/explain", json={"assets": names}).json()
    assert all(a["included"] for a in everything)


def test_every_fault_is_told_with_its_place(api: Api) -> None:
    rules = {"sample": 0, "thresholds": {"email": 7}, "colour": "red"}
    answer = api.as_admin().post(PATH, json={"name": "bad", "rules": rules})
    assert answer.status_code == 422
    pointers = {fault["pointer"] for fault in answer.json()["errors"]}
    assert {"/thresholds", "/colour"} <= pointers
    empty = api.as_admin().post(PATH, json={"name": "bad", "rules": {"include": [""]}})
    assert empty.json()["errors"][0]["pointer"] == "/include/0"


def test_names_and_rights(api: Api) -> None:
    admin = api.as_admin()
    body = {"name": "shop", "rules": {}}
    assert admin.post(PATH, json=body).status_code == 201
    assert admin.post(PATH, json=body).status_code == 409
    assert admin.post(PATH, json={"name": "system", "rules": {}}).status_code == 422
    assert admin.get(f"{PATH}/system").json()["sample"] == 1000
    reader = api.as_user(["scan_rule_sets:read"])
    assert reader.get(PATH).status_code == 200
    assert reader.post(PATH, json={"name": "x", "rules": {}}).status_code == 403
