"""Scans over HTTP: their assets, orders to them, drift."""

from typing import Any

import httpx

from models.session import Database
from models.stores import drift, scans, sources
from tests.api.server import Api

SCANS, DRIFT = "/api/scan-logic/scans", "/api/scan-logic/drift"


def source(client: httpx.Client) -> str:
    body = {"name": "shop", "kind": "sqlite", "location": "/data/shop.db"}
    return str(client.post("/api/data-sources", json=body).json()["id"])


def opened(db: Database, source_id: str, *names: str) -> str:
    """Write a scan down as a discovery does; return its id."""
    row: dict[str, Any] = {
        "kind": "table", "state": "pending", "rows": 5000, "facts": {"rule": "'**' includes it."},
        "plan": {"why": "It was never read.", "score": 5.0, "order": ["never read"]},
        "fingerprint": "", "unchanged": False, "error": None, "rows_read": None,
    }  # fmt: skip
    with db.write() as session:
        workspace = sources.get(session, source_id).workspace_id
        scan = scans.create(session, workspace, source_id, None)
        scan.settings = {"rules": {"sample": 7}, "layers": []}
        scans.add_assets(session, scan.id, [({**row, "name": name}, []) for name in names])
    return scan.id


def test_a_scan_is_steered(api_on_each: Api) -> None:
    admin = api_on_each.as_admin()
    scan_id = opened(api_on_each.db, source(admin), "a", "b")
    path = f"{SCANS}/{scan_id}"
    assert admin.post(f"{path}/pause").json()["control"] == {"paused": True}
    throttled = admin.post(f"{path}/throttle", json={"rows_per_second": 50, "share": 0.5}).json()
    assert throttled["control"] == {"paused": True, "rows_per_second": 50, "share": 0.5}
    assert admin.post(f"{path}/throttle", json={}).json()["control"] == {"paused": True}
    assert admin.post(f"{path}/resume").json()["control"] == {}
    assert admin.post(f"{path}/throttle", json={"share": 0}).status_code == 422
    asset = admin.get(f"{path}/assets").json()["items"][0]
    cancelled = admin.post(f"{path}/assets/{asset['id']}/cancel").json()
    assert cancelled["control"] == {"skipped": [asset["id"]]}
    assert admin.post(f"{path}/assets/none/cancel").status_code == 404
    with api_on_each.db.write() as session:
        scans.close(session, scan_id, "scanned")
    refused = admin.post(f"{path}/pause")
    assert refused.status_code == 409
    assert "does not read" in refused.text
    actions = [a["action"] for a in admin.get("/api/racine/activities").json()["items"]]
    assert {"scan.pause", "scan.resume", "scan.throttle", "scan.skip"} <= set(actions)


def test_what_a_scan_does_with_each_asset_is_told(api: Api) -> None:
    admin = api.as_admin()
    scan_id = opened(api.db, source(admin), "a")
    detail = admin.get(f"{SCANS}/{scan_id}").json()
    assert (detail["rules"]["sample"], detail["rules"]["plan"]["mode"]) == (7, "changed")
    (asset,) = admin.get(f"{SCANS}/{scan_id}/assets", params={"unchanged": False}).json()["items"]
    assert (asset["plan"]["why"], asset["unchanged"]) == ("It was never read.", False)
    unchanged = admin.get(f"{SCANS}/{scan_id}/assets", params={"unchanged": True}).json()
    assert unchanged["items"] == []


def test_reading_a_scan_is_no_right_to_steer_it(api: Api) -> None:
    admin = api.as_admin()
    scan_id = opened(api.db, source(admin), "a")
    reader = api.as_user(["scan_logic:read"])
    assert reader.get(f"{SCANS}/{scan_id}").status_code == 200
    assert reader.post(f"{SCANS}/{scan_id}/pause").status_code == 403


def test_drift_is_listed_by_aspect_and_magnitude(api_on_each: Api) -> None:
    admin = api_on_each.as_admin()
    source_id = source(admin)
    scan_id = opened(api_on_each.db, source_id, "a")
    changes: list[dict[str, Any]] = [
        {"aspect": "schema", "kind": "column_added", "asset": "a", "column": "c", "subject": "",
         "before": None, "after": "text", "magnitude": 0.2},
        {"aspect": "volume", "kind": "volume_changed", "asset": "a", "column": "", "subject": "",
         "before": "5", "after": "50", "magnitude": 0.9},
    ]  # fmt: skip
    with api_on_each.db.write() as session:
        drift.keep(session, scans.get(session, scan_id), "scan_before", changes)

    def kinds(**query: Any) -> list[str]:
        return [c["kind"] for c in admin.get(DRIFT, params=query).json()["items"]]

    assert sorted(kinds(source_id=source_id)) == ["column_added", "volume_changed"]
    assert kinds(aspect="schema", scan_id=scan_id) == ["column_added"]
    assert kinds(least=0.5) == ["volume_changed"]
    assert kinds(source_id="src_other") == []
    assert api_on_each.as_user(["data_sources:read"]).get(DRIFT).status_code == 403


def test_a_dry_run_tells_what_rules_take_in(api: Api) -> None:
    admin = api.as_admin()
    source_id = source(admin)
    scan_id = opened(api.db, source_id, "hr.staff", "hr.staff_old", "shop.orders")
    made = admin.post("/api/scan-rule-sets", json={"name": "hr", "rules": {"include": ["hr.*"]}})
    path = f"/api/scan-rule-sets/{made.json()['id']}"
    rules = {"include": ["hr.*"], "exclude": ["*_old"], "sample": 300}
    admin.post(f"{path}/versions", json={"rules": rules})
    found = admin.post(f"{path}/dry-run", json={"source_id": source_id, "against": 1}).json()
    assert found == {
        "scan_id": scan_id, "included": 1, "excluded": 2, "rows": 300, "more": 0,
        "changes": [{"asset": "hr.staff_old", "included": False,
                     "reason": "'*_old' excludes it."}],
    }  # fmt: skip
    assert admin.post(f"{path}/dry-run", json={"source_id": "src_none"}).status_code == 404


def test_a_plan_is_a_run(api: Api) -> None:
    admin = api.as_admin()
    source_id = source(admin)
    answer = admin.post(f"/api/data-sources/{source_id}/plan", json={"mode": "schema"})
    assert answer.status_code == 202
    run = admin.get(answer.headers["location"]).json()
    assert run["parameters"] == {"source_id": source_id, "rule_set_id": None, "mode": "schema"}
    wrong = admin.post(f"/api/data-sources/{source_id}/plan", json={"mode": "some"})
    assert wrong.status_code == 422
