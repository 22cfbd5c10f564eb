"""Verdicts, compliance, the catalog and notifications over HTTP."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from models.stores import notifications
from racine.ids import new_id
from tests.activities.governing import SHOP, Governing
from tests.api.server import Api

VERDICTS = "/api/classifications"
RULES = "/api/compliance-rules"
CATALOG = "/api/advanced-catalog"


@pytest.fixture
def shop(api: Api, tmp_path: Path) -> Governing:
    """A published source in the API's own workspace."""
    governing = Governing(api.db, tmp_path / "shop.db", workspace_id=api.workspace_id)
    governing.govern(SHOP)
    return governing


def asset(client: httpx.Client, name: str) -> str:
    items = client.get(f"{CATALOG}/assets", params={"limit": 200}).json()["items"]
    return str(next(item["id"] for item in items if item["qualified_name"] == name))


def test_the_review_queue_is_decided_one_by_one(api: Api, shop: Governing) -> None:
    client = api.as_admin()
    queue = client.get(f"{VERDICTS}/queue").json()["items"]
    needs = [item["need"] for item in queue]
    assert queue
    assert needs == sorted(needs, reverse=True)
    chosen = next(item for item in queue if item["kind"] == "email")
    address = f"{VERDICTS}/verdicts/{chosen['id']}"
    assert client.post(f"{address}/decision", json={"decision": "rejected"}).status_code == 422
    body = {"decision": "rejected", "reason": "a made-up column"}
    decided = client.post(f"{address}/decision", json=body).json()
    assert (decided["state"], decided["applied"], decided["need"]) == ("rejected", False, 0)
    left = client.get(f"{VERDICTS}/queue").json()["items"]
    assert chosen["id"] not in [item["id"] for item in left]
    column = client.get(f"{CATALOG}/assets/{asset(client, 'shop/customers/contact')}").json()
    assert (column["content"]["kinds"], column["version"]) == ([], 2)
    rows = client.get("/api/racine/activities", params={"action": "verdict.rejected"}).json()
    assert [row["object_id"] for row in rows["items"]] == [chosen["id"]]


def test_a_column_is_relabelled(api: Api, shop: Governing) -> None:
    client = api.as_admin()
    items = client.get(f"{VERDICTS}/verdicts", params={"kind": "email"}).json()["items"]
    chosen = next(item for item in items if item["column_name"] == "contact")
    body = {"kind": "usrename", "reason": "handles of the forum"}
    refused = client.post(f"{VERDICTS}/verdicts/{chosen['id']}/relabel", json=body)
    assert (refused.status_code, "username" in refused.json()["next_step"]) == (422, True)
    body = {"kind": "username", "reason": "handles of the forum"}
    stated = client.post(f"{VERDICTS}/verdicts/{chosen['id']}/relabel", json=body).json()
    assert (stated["kind"], stated["state"], stated["confidence"]) == ("username", "confirmed", 1)
    column = client.get(f"{CATALOG}/assets/{asset(client, 'shop/customers/contact')}").json()
    assert column["content"]["kinds"] == ["username"]
    shop.govern()
    again = client.get(f"{CATALOG}/assets/{asset(client, 'shop/customers/contact')}").json()
    assert again["content"]["kinds"] == ["username"]


def test_verdicts_are_decided_by_pattern_with_a_row_each(api: Api, shop: Governing) -> None:
    client = api.as_admin()
    body = {"decision": "confirmed", "reason": "checked", "pattern": "customers.*"}
    count = client.post(f"{VERDICTS}/decisions", json=body).json()["decided"]
    assert count >= 1
    rows = client.get("/api/racine/activities", params={"action": "verdict.confirmed"}).json()
    assert len(rows["items"]) == count
    confirmed = client.get(f"{VERDICTS}/verdicts", params={"state": "confirmed"}).json()["items"]
    assert {item["asset_name"] for item in confirmed} == {"customers"}
    bad = client.post(f"{VERDICTS}/decisions", json=body | {"pattern": "re:(a"})
    assert (bad.status_code, bad.json()["code"]) == (422, "invalid_input")


def test_findings_are_listed_worst_known_and_waived_by_another(api: Api, shop: Governing) -> None:
    admin, other = api.as_admin(), api.as_user(["*:*"])
    wanted = {"control": "PCI-3.5.1", "state": "open"}
    (found,) = admin.get(f"{RULES}/findings", params=wanted).json()["items"]
    assert (found["subject"], found["severity"]) == ("payments.card_number", "critical")
    ends = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    address = f"{RULES}/findings/{found['id']}/waivers"
    too_long = (datetime.now(UTC) + timedelta(days=800)).isoformat()
    assert admin.post(address, json={"reason": "x", "expires_at": too_long}).status_code == 422
    made = admin.post(address, json={"reason": "migration", "expires_at": ends}).json()
    approve = f"{RULES}/waivers/{made['id']}/approve"
    assert admin.post(approve).status_code == 403
    assert other.post(approve).json()["state"] == "approved"
    assert admin.get(f"{RULES}/findings/{found['id']}").json()["state"] == "waived"
    assert other.post(approve).status_code == 409
    assert other.post(f"{RULES}/waivers/{made['id']}/revoke").json()["state"] == "revoked"
    assert admin.get(f"{RULES}/findings/{found['id']}").json()["state"] == "open"


def test_an_undecided_finding_cannot_be_waived(api: Api, shop: Governing) -> None:
    client = api.as_admin()
    wanted = {"control": "GDPR-6", "result": "unknown"}
    found = client.get(f"{RULES}/findings", params=wanted).json()["items"][0]
    ends = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    answer = client.post(
        f"{RULES}/findings/{found['id']}/waivers", json={"reason": "x", "expires_at": ends}
    )
    assert answer.status_code == 409


def test_frameworks_scores_and_the_plan_are_read(api: Api, shop: Governing) -> None:
    client = api.as_admin()
    listed = client.get(f"{RULES}/frameworks").json()["items"]
    assert {"gdpr", "pci_dss_4", "iso_27001"} <= {item["id"] for item in listed}
    control = client.get(f"{RULES}/controls/GDPR-5(1)(b)").json()
    assert control["remediation"]["step"]
    scores = client.get(f"{RULES}/scores", params={"source_id": shop.source_id}).json()["items"]
    assert {item["framework"] for item in scores} >= {"gdpr", "pci_dss_4", "iso_27001"}
    plan = client.get(f"{RULES}/remediation-plan", params={"source_id": shop.source_id}).json()
    assert plan["closes"] >= 1
    weights = [step["weight"] for step in plan["steps"]]
    assert weights == sorted(weights, reverse=True)


def test_facts_are_entered_checked_and_withdrawn(api: Api, shop: Governing) -> None:
    client = api.as_admin()
    place = {"source_id": shop.source_id, "asset": "customers"}
    entered = client.put(f"{CATALOG}/facts", json=place | {"facts": {"owner": "crm", "label":
                                                                     "restricted"}})  # fmt: skip
    assert [fact["name"] for fact in entered.json()["items"]] == ["label", "owner"]
    table = client.get(f"{CATALOG}/assets/{asset(client, 'shop/customers')}").json()
    assert table["sensitivity"] == "restricted"
    shop.validate()
    wanted = {"control": "ISO-A.5.9", "state": "closed"}
    closed = client.get(f"{RULES}/findings", params=wanted).json()["items"]
    assert [item["subject"] for item in closed] == ["customers"]
    misfits: list[dict[str, object]] = [
        {"owner": ""}, {"colour": "red"}, {"lawful_basis": "because"}, {"kinds": []},
        {"protection": "rot13"}, {"retention_days": True},
    ]  # fmt: skip
    for facts in misfits:
        refused = client.put(f"{CATALOG}/facts", json=place | {"facts": facts})
        assert refused.status_code == 422, facts
    assert client.delete(f"{CATALOG}/facts/label", params=place).status_code == 204
    table = client.get(f"{CATALOG}/assets/{asset(client, 'shop/customers')}").json()
    assert table["sensitivity"] == "confidential"


def test_assets_are_found_by_the_words_of_their_names(api: Api, shop: Governing) -> None:
    client = api.as_admin()
    found = client.get(f"{CATALOG}/search", params={"q": "card"}).json()["items"]
    assert found[0]["qualified_name"] == "shop/payments/card_number"
    by_kind = client.get(f"{CATALOG}/search", params={"q": "email"}).json()["items"]
    assert [item["name"] for item in by_kind] == ["contact"]
    assert client.get(f"{CATALOG}/search", params={"q": "nothing here"}).json()["items"] == []
    assert client.get(f"{CATALOG}/search", params={"q": '" OR *'}).json()["items"] == []
    payments = asset(client, "shop/payments")
    tagged = client.put(f"{CATALOG}/assets/{payments}/tags", json={"tags": ["gold", "finance"]})
    assert tagged.json()["tags"] == ["finance", "gold"]
    again = client.get(f"{CATALOG}/search", params={"q": "gold"}).json()["items"]
    assert [item["tags"] for item in again] == [["finance", "gold"]]
    listed = client.get(f"{CATALOG}/assets", params={"tag": "gold"}).json()["items"]
    assert [item["name"] for item in listed] == ["payments"]


def test_versions_are_read_compared_and_dated(api: Api, shop: Governing) -> None:
    client = api.as_admin()
    before = datetime.now(UTC).isoformat()
    place = {"source_id": shop.source_id, "asset": "customers"}
    client.put(f"{CATALOG}/facts", json=place | {"facts": {"label": "restricted"}})
    address = f"{CATALOG}/assets/{asset(client, 'shop/customers')}"
    numbers = [item["number"] for item in client.get(f"{address}/versions").json()["items"]]
    assert numbers == [2, 1]
    changes = client.get(f"{address}/diff", params={"before": 1, "after": 2}).json()["changes"]
    assert changes == [{"pointer": "/sensitivity", "before": "confidential", "after": "restricted"}]
    then = client.get(f"{address}/as-of", params={"at": before}).json()
    assert (then["number"], then["content"]["sensitivity"]) == (1, "confidential")
    long_ago = client.get(f"{address}/as-of", params={"at": "2001-01-01T00:00:00Z"})
    assert long_ago.status_code == 404
    columns = client.get(f"{address}/children").json()["items"]
    assert [column["name"] for column in columns] == ["contact", "id"]


def test_a_verdict_is_explained_with_what_people_said(api: Api, shop: Governing) -> None:
    client = api.as_admin()
    asked = {"source_id": shop.source_id, "column": "customers.contact"}
    told = client.get(f"{VERDICTS}/explanation", params=asked).json()
    assert told["explanation"]["kinds"] == ["email"]
    assert told["explanation"]["ranked"][0]["threshold"] > 0
    assert [change["what"] for change in told["explanation"]["changes"]][:2] == [
        "without its name", "without its neighbours",
    ]  # fmt: skip
    verdict = told["verdicts"][0]
    body = {"decision": "confirmed", "reason": "seen in the form"}
    client.post(f"{VERDICTS}/verdicts/{verdict['id']}/decision", json=body)
    again = client.get(f"{VERDICTS}/explanation", params=asked).json()["verdicts"][0]
    assert (again["state"], again["reason"]) == ("confirmed", "seen in the form")
    unknown = client.get(f"{VERDICTS}/explanation", params=asked | {"column": "customers.none"})
    assert unknown.status_code == 404
    assert "contact" in unknown.json()["next_step"]
    stranger = api.as_admin(**{"Racine-Workspace": api.new_workspace("elsewhere")})
    assert stranger.get(f"{VERDICTS}/explanation", params=asked).status_code == 404
    refused = api.as_user().get(f"{VERDICTS}/explanation", params=asked)
    assert refused.status_code == 403


def test_another_workspace_sees_nothing_of_it(api: Api, shop: Governing) -> None:
    admin = api.as_admin()
    stranger = api.as_admin(**{"Racine-Workspace": api.new_workspace("elsewhere")})
    for address in (f"{CATALOG}/assets", f"{VERDICTS}/verdicts", f"{VERDICTS}/queue",
                    f"{RULES}/findings", f"{RULES}/scores"):  # fmt: skip
        assert admin.get(address).json()["items"], address
        assert stranger.get(address).json()["items"] == [], address
    assert stranger.get(f"{CATALOG}/search", params={"q": "card"}).json()["items"] == []
    customers = asset(admin, "shop/customers")
    finding = admin.get(f"{RULES}/findings").json()["items"][0]["id"]
    verdict = admin.get(f"{VERDICTS}/verdicts").json()["items"][0]["id"]
    for address in (
        f"{CATALOG}/assets/{customers}", f"{CATALOG}/assets/{customers}/versions",
        f"{CATALOG}/facts?source_id={shop.source_id}", f"{RULES}/findings/{finding}",
        f"{VERDICTS}/verdicts/{verdict}",
        f"{RULES}/remediation-plan?source_id={shop.source_id}",
    ):  # fmt: skip
        assert stranger.get(address).status_code == 404, address


def test_a_person_without_rights_is_refused(api: Api, shop: Governing) -> None:
    nobody = api.as_user()
    for address in (f"{CATALOG}/assets", f"{CATALOG}/search?q=card", f"{VERDICTS}/queue",
                    f"{RULES}/findings", f"{RULES}/frameworks"):  # fmt: skip
        assert nobody.get(address).status_code == 403, address
    reader = api.as_user(["classifications:read"])
    verdict = reader.get(f"{VERDICTS}/verdicts").json()["items"][0]["id"]
    body = {"decision": "rejected", "reason": "no"}
    answer = reader.post(f"{VERDICTS}/verdicts/{verdict}/decision", json=body)
    assert answer.status_code == 403


def test_notifications_are_read_by_each_person(api: Api) -> None:
    with api.db.write() as session:
        left = [
            notifications.leave(
                session, api.workspace_id, run_id=run_id, task_key="notify", subject="Scan done",
                body="", severity="info",
            )
            for run_id in ("run_1", "run_1", new_id("run"))
        ]  # fmt: skip
    assert left[0] == left[1]
    admin, other = api.as_admin(), api.as_user(["*:*"])
    inbox = "/api/racine/notifications"
    assert len(admin.get(inbox).json()["items"]) == 2
    assert admin.post(f"{inbox}/{left[0]}/read").status_code == 204
    assert admin.post(f"{inbox}/{left[0]}/read").status_code == 204
    unread = admin.get(inbox, params={"unread": True}).json()["items"]
    assert [item["id"] for item in unread] == [left[2]]
    assert len(other.get(inbox, params={"unread": True}).json()["items"]) == 2
