"""`racine classify` as processes of its own: on a file, and against a real server."""

import json
import time
from pathlib import Path

import pytest

from tests.activities.governing import Governing
from tests.api.server import Api
from tests.racine.cli.test_cli import racine, server

__all__ = ["server"]

PEOPLE = {
    "customers": {
        "id": range(40),
        "contact": [f"person{n}@example.org" for n in range(40)],
        "first_name": ["Anna", "Peter", "Maria", "Wei"] * 10,
    }
}


@pytest.fixture
def shop(api_with_temporal: Api, tmp_path: Path) -> Governing:
    governing = Governing(
        api_with_temporal.db, tmp_path / "shop.db", workspace_id=api_with_temporal.workspace_id
    )
    governing.govern(PEOPLE)
    return governing


def test_a_column_of_a_file_is_explained_without_a_server(tmp_path: Path) -> None:
    rows = "\n".join(f"{n},zaphod{n}@example.org" for n in range(30))
    (tmp_path / "people.csv").write_text(f"id,mail\n{rows}\n")
    told = racine("classify", "explain", str(tmp_path), "people.mail", "-o", "json")
    assert told.returncode == 0, told.stderr
    explanation = json.loads(told.stdout)["explanation"]
    assert explanation["kinds"] == ["email"]
    assert explanation["ranked"][0]["values_passing"] == 30
    shown = racine("classify", "explain", str(tmp_path / "people.csv"), "people.mail")
    assert "people.mail holds email" in shown.stdout
    assert "Without its name it would still hold email" in shown.stdout
    assert "zaphod" not in told.stdout + shown.stdout


def test_a_column_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("id,mail\n1,a@example.org\n")
    told = racine("classify", "explain", str(tmp_path), "people.phone")
    assert told.returncode == 1
    assert "It has: id, mail." in told.stderr


@pytest.mark.usefixtures("workers")
def test_uncertain_columns_are_put_to_a_person_and_their_answer_is_kept(
    server: dict[str, str], shop: Governing, tmp_path: Path
) -> None:
    started = racine(
        "classify", "assist", "shop", "--at-least", "0", "--below", "1", "-o", "json", **server
    )
    assert started.returncode == 0, started.stderr
    run = json.loads(started.stdout)["run_id"]
    form = tmp_path / "answers.yaml"
    form.write_text("decisions: {customers.contact: rejected}\notherwise: confirmed\n")
    deadline = time.monotonic() + 30
    while racine("runs", "approve", run, "ask", "--form", str(form), **server).returncode:
        assert time.monotonic() < deadline, "it never came to the question"
    assert racine("runs", "watch", run, **server).returncode == 0
    told = racine("classify", "explain", "shop", "customers.contact", "-o", "json", **server)
    assert told.returncode == 0, told.stderr
    said = {v["kind"]: v["state"] for v in json.loads(told.stdout)["verdicts"]}
    assert said["email"] == "rejected"
    shown = racine("classify", "explain", "shop", "customers.first_name", **server)
    assert "confirmed" in shown.stdout


def test_a_form_that_is_no_object_is_refused(server: dict[str, str], tmp_path: Path) -> None:
    form = tmp_path / "answers.yaml"
    form.write_text("- confirmed\n")
    told = racine("runs", "approve", "run_x", "ask", "--form", str(form), **server)
    assert told.returncode == 1
    assert "holds no object" in told.stderr


def test_a_source_that_nobody_catalogued_is_refused_by_name(server: dict[str, str]) -> None:
    told = racine("classify", "explain", "nowhere", "a.b", **server)
    assert told.returncode == 1
    assert "nowhere is neither a file or folder here nor a catalogued source" in told.stderr


def test_a_classifier_is_measured_saved_in_the_workspace_listed_and_removed(
    server: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "nine.yaml"
    file.write_text("- id: nine\n  pattern: '[0-9]{9}'\n  examples: {match: ['161260333']}\n")
    added = racine("classifiers", "add", str(file), "--yes", "--server", **server)
    assert added.returncode == 0, added.stderr
    assert "us_routing_number" in added.stdout
    listed = racine("classifiers", "list", "--server", "--output", "json", **server)
    assert [item["name"] for item in json.loads(listed.stdout)] == ["nine"]
    assert racine("classifiers", "remove", "nine", **server).returncode == 0
    again = racine("classifiers", "remove", "nine", **server)
    assert again.returncode == 1
    assert "no classifier 'nine' of its own" in again.stderr


def test_people_decide_one_by_one_by_pattern_and_state_what_is_there_instead(
    server: dict[str, str], shop: Governing
) -> None:
    listed = racine("classify", "queue", "--source", shop.source_id, "-o", "json", **server)
    assert listed.returncode == 0, listed.stderr
    waiting = {v["kind"]: v["id"] for v in json.loads(listed.stdout)}
    why = ("--reason", "seen")
    stated = racine("classify", "relabel", waiting["email"], "username", *why, **server)
    assert "customers.contact holds username." in stated.stdout
    asked = ("--pattern", "customers.first*", "--kind", "person_name", *why)
    decided = racine("classify", "decide", "confirmed", *asked, **server)
    assert decided.stdout == "1 decided: confirmed.\n"
    one = ("--verdict", waiting["person_name"], *why)
    assert racine("classify", "decide", "rejected", *one, **server).returncode == 0
    shown = racine("classify", "queue", **server)
    assert waiting["person_name"] not in shown.stdout
    neither = racine("classify", "decide", "confirmed", *why, **server)
    assert "Name either --verdict or --pattern" in neither.stderr
