"""Jobs over HTTP."""

from typing import Any

from tests.api.server import Api

URL = "/api/racine/workflows"


def job(name: str = "nightly", value: Any = 1) -> dict[str, Any]:
    task = {"operation": "racine.noop", "input": {"value": value}}
    return {"name": name, "tasks": [{"task_key": "a", "operation_task": task}]}


def test_a_job_is_saved_read_replaced_and_archived(api_on_each: Api) -> None:
    client = api_on_each.as_admin()
    made = client.post(URL, json={"document": job()})
    assert (made.status_code, made.headers["etag"]) == (201, '"1"')
    address = made.headers["location"]
    found = client.get(address)
    assert found.json()["document"] == job()
    etag = {"If-Match": found.headers["etag"]}
    again = client.put(address, json={"document": job()}, headers=etag)
    assert again.json()["version"] == 1
    changed = client.put(address, json={"document": job(value=2)}, headers=etag)
    assert (changed.json()["version"], changed.headers["etag"]) == (2, '"2"')
    versions = client.get(f"{address}/versions").json()["items"]
    assert [version["version"] for version in versions] == [2, 1]
    assert client.get(f"{address}/versions/1").json()["document"] == job()
    assert client.delete(address, headers={"If-Match": '"2"'}).status_code == 204
    assert client.get(address).status_code == 404
    assert client.get(URL).json()["items"] == []
    back = client.post(URL, json={"document": job(value=2)})
    assert (back.status_code, back.json()["version"]) == (201, 2)


def test_two_versions_are_compared_by_meaning(api: Api) -> None:
    client = api.as_admin()
    made = client.post(URL, json={"document": job()})
    address = made.headers["location"]
    client.put(address, json={"document": job(value=2)}, headers={"If-Match": '"1"'})
    told = client.get(f"{address}/versions/1/diff/2").json()
    assert told["changes"] == [
        {"kind": "changed", "pointer": "/tasks/0/operation_task/input/value", "task": "a",
         "field": "operation_task/input/value", "old": 1, "new": 2}
    ]  # fmt: skip
    assert client.get(f"{address}/versions/2/diff/2").json()["changes"] == []
    assert client.get(f"{address}/versions/1/diff/3").status_code == 404


def test_an_earlier_version_becomes_the_next_one(api: Api) -> None:
    client = api.as_admin()
    address = client.post(URL, json={"document": job()}).headers["location"]
    client.put(address, json={"document": job(value=2)}, headers={"If-Match": '"1"'})
    way_back: dict[str, Any] = {"url": f"{address}/rollback", "json": {"version": 1}}
    assert client.post(**way_back, headers={"If-Match": '"1"'}).status_code == 412
    back = client.post(**way_back, headers={"If-Match": '"2"'})
    assert (back.json()["version"], back.headers["etag"]) == (3, '"3"')
    assert client.get(address).json()["document"] == job()
    assert client.get(f"{address}/versions/2").json()["document"] == job(value=2)
    again = client.post(**way_back, headers={"If-Match": '"3"'})
    assert again.json()["version"] == 3
    missing = client.post(f"{address}/rollback", json={"version": 9}, headers={"If-Match": '"3"'})
    assert missing.status_code == 404


def test_a_version_that_needs_what_is_gone_does_not_come_back(api: Api) -> None:
    client = api.as_admin()
    pooled = job()
    pooled["tasks"][0]["pool"] = "warehouse"
    client.put("/api/racine/orchestration/pools/warehouse", json={"slots": 1})
    address = client.post(URL, json={"document": pooled}).headers["location"]
    client.put(address, json={"document": job()}, headers={"If-Match": '"1"'})
    assert client.delete("/api/racine/orchestration/pools/warehouse").status_code == 204
    back = client.post(f"{address}/rollback", json={"version": 1}, headers={"If-Match": '"2"'})
    assert (back.status_code, back.json()["errors"][0]["pointer"]) == (422, "/tasks/0/pool")


def test_a_job_is_written_as_python(api: Api) -> None:
    client = api.as_admin()
    made = client.post(URL, json={"document": job()})
    told = client.get(f"{made.headers['location']}/generate-code")
    assert 'job.task("a").operation("racine.noop", {"value": 1})' in told.json()["python"]
    missing = client.get(f"{made.headers['location']}/generate-code", params={"version": 2})
    assert missing.status_code == 404


def test_a_change_names_the_version_it_was_made_from(api: Api) -> None:
    client = api.as_admin()
    address = client.post(URL, json={"document": job()}).headers["location"]
    without = client.put(address, json={"document": job(value=2)})
    assert (without.status_code, without.json()["code"]) == (428, "precondition_required")
    stale = client.put(address, json={"document": job(value=2)}, headers={"If-Match": '"7"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "precondition_failed")
    nonsense = client.put(address, json={"document": job()}, headers={"If-Match": "W/x"})
    assert nonsense.status_code == 422


def test_a_name_is_taken_once_and_stays(api: Api) -> None:
    client = api.as_admin()
    made = client.post(URL, json={"document": job()}).json()
    taken = client.post(URL, json={"document": job()})
    assert (taken.status_code, taken.json()["id"]) == (409, made["id"])
    renamed = client.put(
        f"{URL}/{made['id']}", json={"document": job("weekly")}, headers={"If-Match": '"1"'}
    )
    assert renamed.status_code == 422
    assert renamed.json()["errors"][0]["pointer"] == "/name"
    assert client.get(URL, params={"name": "nightly"}).json()["items"][0]["id"] == made["id"]
    assert client.get(URL, params={"name": "weekly"}).json()["items"] == []


def test_every_fault_of_a_document_is_told_at_once(api: Api) -> None:
    client = api.as_admin()
    broken = job()
    broken["tasks"] += [
        {"task_key": "b", "operation_task": {"operation": "racine.nop", "input": {}}},
        {"task_key": "c", "depends_on": [{"task_key": "zz"}], "noop_task": {}},
    ]
    answer = client.post(f"{URL}/validate", json={"document": broken})
    assert answer.status_code == 200
    body = answer.json()
    assert not body["valid"]
    pointers = {fault["pointer"] for fault in body["faults"]}
    assert {"/tasks/1/operation_task/operation", "/tasks/2/depends_on/0/task_key"} <= pointers
    refused = client.post(URL, json={"document": broken})
    assert refused.status_code == 422
    assert {fault["pointer"] for fault in refused.json()["errors"]} == pointers
    assert client.post(f"{URL}/validate", json={"document": job()}).json()["valid"]


def test_another_workspaces_job_does_not_exist(api: Api) -> None:
    address = api.as_admin().post(URL, json={"document": job()}).headers["location"]
    other = api.new_workspace("other")
    stranger = api.as_admin(**{"Racine-Workspace": other})
    assert stranger.get(address).status_code == 404
    assert stranger.get(f"{address}/versions").status_code == 404
    changed = stranger.put(address, json={"document": job(value=2)}, headers={"If-Match": '"1"'})
    assert changed.status_code == 404
    assert stranger.get(URL).json()["items"] == []


def test_rights_are_asked_for(api: Api) -> None:
    address = api.as_admin().post(URL, json={"document": job()}).headers["location"]
    reader = api.as_user(["workflows:read"])
    assert reader.get(address).status_code == 200
    assert reader.post(URL, json={"document": job("x")}).status_code == 403
    assert reader.post(f"{address}/execute", json={}).status_code == 403
    nobody = api.as_user()
    for path in (URL, address, f"{URL}/templates", "/api/racine/operations",
                 "/api/racine/schema/job.json"):  # fmt: skip
        assert nobody.get(path).status_code == 403, path


def test_what_jobs_are_made_of_is_published(api: Api) -> None:
    client = api.as_admin()
    operations = {op["name"]: op for op in client.get("/api/racine/operations").json()["items"]}
    noop = operations["racine.noop"]
    assert noop["group"] == "racine"
    assert noop["input_schema"]["properties"]["value"]
    assert "data_sources.register" in operations
    schema = client.get("/api/racine/schema/job.json").json()
    assert schema["$schema"].startswith("https://json-schema.org/")
    templates = client.get(f"{URL}/templates").json()["items"]
    assert "governance_run" in [found["name"] for found in templates]
    for template in templates:
        verdict = client.post(f"{URL}/validate", json={"document": template["document"]}).json()
        assert verdict["faults"] == []


def test_a_job_is_simulated_and_nothing_is_stored(api: Api) -> None:
    client = api.as_user(["workflows:read"])
    document = job()
    document["tasks"].append({"task_key": "b", "noop_task": {}, "depends_on": [{"task_key": "a"}]})
    mocks = {"tasks": {"a": {"error": {"code": "Gone", "retryable": False}, "seconds": 2}}}
    told = client.post(f"{URL}/simulate", json={"document": document, "mocks": mocks}).json()
    assert (told["state"], told["order"], told["seconds"]) == ("failed", ["a"], 2)
    assert [(t["path"], t["state"]) for t in told["tasks"]] == [("a", "failed"), ("b", "skipped")]
    wrong = client.post(
        f"{URL}/simulate", json={"document": document, "mocks": {"tasks": {"c": {}}}}
    )
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/tasks/c")
    assert client.get(URL).json()["items"] == []


def test_what_a_job_takes_and_what_it_depends_on_is_told(api: Api) -> None:
    client = api.as_admin()
    for name, more in (("load", {"outlets": ["orders"]}), ("use", {"inlets": ["orders"]})):
        document = job(name)
        document["tasks"][0] |= more
        made = client.post(URL, json={"document": document})
    address = made.headers["location"]
    told = client.get(f"{address}/versions/1/estimate").json()
    assert (told["critical"], told["seconds"]) == (["a"], 1)
    assert told["tasks"][0]["measured"] is False
    assert client.get(f"{address}/dependencies").json()["items"] == [
        {"resource": "orders", "upstream_job": "load", "upstream_task": "a",
         "downstream_job": "use", "downstream_task": "a"}
    ]  # fmt: skip
