"""Pools over HTTP."""

from typing import Any

from models.stores import pool_leases, pools
from tests.api.server import Api

URL = "/api/racine/orchestration/pools"
NOOP = {"operation": "racine.noop", "input": {"value": 1}}


def job(**task: Any) -> dict[str, Any]:
    return {"name": "pooled", "tasks": [{"task_key": "a", "operation_task": NOOP, **task}]}


def test_a_pool_is_made_changed_shown_and_deleted(api: Api) -> None:
    admin = api.as_admin()
    made = admin.put(f"{URL}/warehouse", json={"slots": 2}).json()
    assert (made["slots"], made["held"], made["waiting"]) == (2, 0, 0)
    changed = admin.put(f"{URL}/warehouse", json={"slots": 3, "tokens_per_second": 1.5}).json()
    assert (changed["slots"], changed["tokens_per_second"]) == (3, 1.5)
    assert [pool["name"] for pool in admin.get(URL).json()["items"]] == ["warehouse"]
    document = job(pool="warehouse", pool_slots=3)
    job_id = admin.post("/api/racine/workflows", json={"document": document}).json()["id"]
    run = admin.post(f"/api/racine/workflows/{job_id}/execute", json={}).json()
    with api.db.write() as session:
        pool = pools.get(session, api.workspace_id, "warehouse")
        for key in ("a", "b"):
            claim = pool_leases.Claim(run["id"], job_id, run["workflow_id"], key, 1, 2)
            pool_leases.acquire(session, pool, claim)
    shown = admin.get(f"{URL}/warehouse").json()
    assert (shown["held_slots"], shown["held"], shown["waiting"]) == (2, 1, 1)
    assert [lease["task_key"] for lease in shown["holders"]] == ["a"]
    assert [lease["task_key"] for lease in shown["line"]] == ["b"]
    assert admin.delete(f"{URL}/warehouse").status_code == 409
    with api.db.write() as session:
        pool_leases.release_run(session, run["id"])
    assert admin.delete(f"{URL}/warehouse").status_code == 204
    assert admin.get(f"{URL}/warehouse").status_code == 404


def test_a_pool_that_limits_nothing_or_no_source_is_refused(api: Api) -> None:
    admin = api.as_admin()
    assert admin.put(f"{URL}/warehouse", json={}).status_code == 422
    assert admin.put(f"{URL}/warehouse", json={"slots": 0}).status_code == 422
    assert admin.put(f"{URL}/source:src_none", json={"slots": 1}).status_code == 404


def test_a_job_that_could_never_get_its_slots_is_refused_when_saved(api: Api) -> None:
    admin = api.as_admin()
    admin.put(f"{URL}/small", json={"slots": 1})
    inner = {"task_key": "b", "operation_task": NOOP, "pool": "none"}
    loop = {"for_each_task": {"inputs": [1], "tasks": [inner]}}
    document = job(pool="small", pool_slots=2)
    document["tasks"].append({"task_key": "each", **loop})
    for path in ("", "/validate"):
        answer = admin.post(f"/api/racine/workflows{path}", json={"document": document}).json()
        faults = answer.get("errors") or answer["faults"]
        assert [(fault["pointer"], fault["code"]) for fault in faults] == [
            ("/tasks/0/pool_slots", "pool_too_small"),
            ("/tasks/1/for_each_task/tasks/0/pool", "unknown_pool"),
        ]
    holds = {"name": "holds", "tasks": [{"task_key": "each", "pool": "small", **loop}]}
    refused = admin.post("/api/racine/workflows", json={"document": holds}).json()["errors"]
    assert ("/tasks/0/pool", "pool") in [(f["pointer"], f["code"]) for f in refused]
