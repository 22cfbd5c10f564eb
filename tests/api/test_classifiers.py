"""Classifiers of a workspace: measured before they are kept, used by its scans, explained."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.activities.governing import Governing
from tests.api.server import Api

CLASSIFIERS = "/api/classifications/classifiers"
BADGE: dict[str, Any] = {
    "id": "badge",
    "headers": ["badge", "badge number"],
    "pattern": "B-[0-9]{4}-[KLM]",
    "sensitivity": "confidential",
    "examples": {"match": ["B-1204-K"], "reject": ["B-12-K"]},
}
STAFF = {"staff": {"id": range(40), "badge_number": [f"B-{n}-K" for n in range(1000, 1040)]}}


def put(client: httpx.Client, entry: dict[str, Any]) -> httpx.Response:
    return client.put(f"{CLASSIFIERS}/{entry['id']}", json={"entry": entry}, timeout=120)


def kinds(client: httpx.Client, shop: Governing) -> list[str]:
    asked = {"source_id": shop.source_id, "column": "staff.badge_number"}
    answer = client.get("/api/classifications/explanation", params=asked)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["explanation"]["kinds"])


def test_chance_and_collisions_are_told_and_nothing_is_kept(api: Api) -> None:
    nine = {"id": "nine", "pattern": "[0-9]{9}", "examples": {"match": ["161260333"]}}
    client = api.as_admin()
    told = client.post(f"{CLASSIFIERS}/measure", json={"entries": [nine]}, timeout=120).json()
    assert told["chance_rates"]["nine"]["9 digits"] == 1.0
    pairs = {(met["accepting"], met["other"]) for met in told["collisions"]}
    assert ("nine", "us_routing_number") in pairs
    assert told["failures"] == []
    assert client.get(CLASSIFIERS).json()["items"] == []


def test_a_classifier_is_used_by_the_next_scan_and_by_the_explanation(
    api: Api, tmp_path: Path
) -> None:
    client = api.as_admin()
    shop = Governing(api.db, tmp_path / "staff.db", workspace_id=api.workspace_id)
    shop.govern(STAFF)
    assert kinds(client, shop) == []
    saved = put(client, BADGE).json()
    assert saved["classifier"]["entry"]["pattern"] == BADGE["pattern"]
    assert saved["measured"]["chance_rates"] == {"badge": {"same shape": 1.0}}
    shop.govern()
    assert kinds(client, shop) == ["badge"]
    verdicts = client.get("/api/classifications/verdicts", params={"kind": "badge"}).json()["items"]
    assert [v["column_name"] for v in verdicts] == ["badge_number"]


def test_a_changed_pattern_reads_unchanged_tables_again(api: Api, tmp_path: Path) -> None:
    client = api.as_admin()
    shop = Governing(api.db, tmp_path / "staff.db", workspace_id=api.workspace_id)
    unnamed = {key: value for key, value in BADGE.items() if key != "headers"}
    put(client, {**unnamed, "pattern": "C-[0-9]{4}", "examples": {}})
    shop.govern(STAFF)
    assert kinds(client, shop) == []
    put(client, BADGE)
    shop.govern()
    assert kinds(client, shop) == ["badge"]
    assert client.delete(f"{CLASSIFIERS}/badge").status_code == 204
    shop.govern()
    assert kinds(client, shop) == []


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"id": "x", "python": "os:system"}, "Code is taken from files"),
        ({"id": "x", "validator": "own:os"}, "validator 'own:os' is unknown"),
        ({"id": "x", "validator": "stdnum:..os"}, "is unknown"),
        ({"id": "x", "pattern": "(?=a)b"}, "not a RE2 expression"),
        ({"id": "x", "pattern": "a", "examples": {"match": ["b"]}}, "x refuses b"),
        ({"id": "email", "pattern": "a"}, "built in"),
        ({"id": "x", "colour": "red"}, "colour is not known"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_reason(
    api: Api, entry: dict[str, Any], says: str
) -> None:
    client = api.as_admin()
    answer = put(client, entry)
    assert answer.status_code == 422
    assert says in answer.text
    assert client.get(CLASSIFIERS).json()["items"] == []


def test_another_workspace_neither_sees_nor_uses_them(api: Api) -> None:
    put(api.as_admin(), BADGE)
    api.new_workspace("elsewhere")
    other = api.as_admin(**{"Racine-Workspace": "elsewhere"})
    assert other.get(CLASSIFIERS).json()["items"] == []
    assert other.get(f"{CLASSIFIERS}/badge").status_code == 404


def test_rights_are_asked_and_the_change_is_in_the_audit_trail(api: Api) -> None:
    reader = api.as_user(["classifications:read"])
    assert put(reader, BADGE).status_code == 403
    client = api.as_admin()
    put(client, BADGE)
    rows = client.get("/api/racine/activities", params={"action": "classifier.write"}).json()
    assert len(rows["items"]) == 1
    assert reader.get(f"{CLASSIFIERS}/badge").json()["entry"]["id"] == "badge"
