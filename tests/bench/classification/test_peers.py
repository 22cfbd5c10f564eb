"""Peers' answers are translated, scored like ours, and told as a table and a line of JSON."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.classification.labelled import CORE, EXTENDED, LabelledTable, load
from bench.classification.peers import Result, compare, line, markdown
from bench.classification.peers.comparison import score
from bench.classification.peers.environments import HERE, PEERS, Peer
from bench.classification.peers.kinds import KINDS, translate


@pytest.fixture
def tables(tmp_path: Path) -> list[LabelledTable]:
    (tmp_path / "tables").mkdir()
    with (tmp_path / "tables" / "people.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["mail", "ref"], ["a@example.org", "555-01"]])
    labels = {"people": {"mail": {"labels": ["EMAIL"]}, "ref": {"labels": ["NONE"], "trap": "key"}}}
    (tmp_path / "labels.json").write_text(json.dumps(labels))
    return list(load(tmp_path))


def test_answers_are_scored_like_ours_and_told_in_both_forms(tables: list[LabelledTable]) -> None:
    answers = {"people": {"mail": ["email"], "ref": ["phone"]}}
    result = Result("a tool", score(tables, answers), score(tables, {}))

    row = markdown([result]).splitlines()[-1]
    figures = line([result])["a tool"]

    assert row == "| a tool | 0.67 (0.50/1.00) | 0.67 | 0.00 | 0.00 | 1 of 1 |"
    assert (figures["core_f1"], figures["alarms"], figures["look_alikes"]) == (0.6667, 1, 1)


def test_a_peer_that_does_not_run_here_keeps_its_published_row() -> None:
    failed = Result("a tool 1.0", failure="no network")
    published = "| a tool 1.0 | 0.67 (0.50/1.00) | 0.67 | 0.00 | 0.00 | 1 of 1 |"
    kept = markdown([failed], published).splitlines()[-1]
    assert (
        kept == "| a tool 1.0 (measured earlier) | 0.67 (0.50/1.00) | 0.67 | 0.00 | 0.00 | 1 of 1 |"
    )
    assert markdown([failed], kept).splitlines()[-1] == kept
    assert "did not run: no network" in markdown([failed], published.replace("1.0 |", "2.0 |"))


def test_a_peer_that_cannot_be_installed_says_so(
    tables: list[LabelledTable], tmp_path: Path
) -> None:
    (result,) = compare(tables, [Peer("presidio", "0", python="no-such-python")], tmp_path)

    assert "did not run" in markdown([result])
    assert line([result])["presidio 0"]["failure"]


def test_every_peer_has_a_lock_that_pins_it_a_runner_and_known_kinds() -> None:
    for peer in PEERS:
        pinned = (HERE / "locks" / f"{peer.file}.txt").read_text("utf-8").lower()
        assert f"{peer.version}\n" in pinned
        subprocess.run([sys.executable, "-m", "py_compile", peer.runner], check=True, timeout=30)
        ours = set(KINDS[peer.name].values())
        assert ours <= {*EXTENDED, "passport", "bank_account"}
        assert ours & set(CORE)


def test_names_without_a_kind_of_ours_are_left_out_and_repeats_are_told_once() -> None:
    found = translate("presidio", ["IP_ADDRESS", "DATE_TIME", "IP_ADDRESS", "US_SSN"])

    assert found == ["ip_address", "ssn"]
