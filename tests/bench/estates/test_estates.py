"""The generated tables: always the same, known kinds, enough of everything, whole checksums."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import bench.estates
from bench.estates.labels import KINDS
from bench.estates.specification import APPLICATIONS, load

ROOT = Path(bench.estates.__file__).parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("estates")
    bench.estates.write(folder)
    return folder


@pytest.fixture(scope="module")
def labels(folder: Path) -> dict[str, dict[str, Any]]:
    document: dict[str, dict[str, Any]] = json.loads((folder / "labels.json").read_text("utf-8"))
    return document


def _bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.timeout(400)  # it writes every table twice, and the machine may be busy
def test_another_process_with_another_hash_seed_writes_the_same_bytes(
    folder: Path, tmp_path: Path
) -> None:
    program = f"import bench.estates, pathlib; bench.estates.write(pathlib.Path({str(tmp_path)!r}))"
    environment = os.environ | {"PYTHONHASHSEED": "7", "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", program], check=True, env=environment, timeout=300)

    assert _bytes(tmp_path) == _bytes(folder)


def test_every_label_names_known_kinds(labels: dict[str, dict[str, Any]]) -> None:
    named = {
        kind
        for columns in labels.values()
        for label in columns.values()
        for member in ("labels", "accept", "tolerate")
        for kind in label.get(member, [])
    }

    assert named <= KINDS | {"NONE"}
    assert named >= KINDS, "some kind is in no table"


def test_labels_and_csv_files_name_the_same_tables_and_columns(
    folder: Path, labels: dict[str, dict[str, Any]]
) -> None:
    headers = {}
    for path in (folder / "tables").glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
        headers[path.stem] = rows[0]
        assert len(rows) > 3
        assert {len(row) for row in rows} == {len(rows[0])}

    assert headers == {table: list(columns) for table, columns in labels.items()}


def test_there_is_enough_of_everything(labels: dict[str, dict[str, Any]]) -> None:
    tables = load()
    every = [label for columns in labels.values() for label in columns.values()]
    traps = [label for label in every if "trap" in label and label["labels"] == ["NONE"]]

    assert len(tables) >= 170
    assert len(traps) >= 450
    assert len({table.locale for table in tables}) >= 10
    assert sum(table.rows <= 8 for table in tables) >= 5
    assert len({table.source for table in tables}) == len(list(APPLICATIONS.rglob("*.yaml")))


def test_the_drawn_third_is_about_a_third_of_the_older_sources() -> None:
    written_later = bench.estates.fresh() | bench.estates.decoys()
    older = set(bench.estates.sources().values()) - written_later
    share = len(bench.estates.holdout()) / len(older)

    assert bench.estates.holdout() < older
    assert 0.25 <= share <= 0.42


def test_the_fresh_sources_hold_at_least_320_look_alikes(
    labels: dict[str, dict[str, Any]],
) -> None:
    fresh = [table for table in load() if table.part == "fresh"]
    every = [label for table in fresh for label in labels[table.name].values()]

    assert sum("trap" in label and label["labels"] == ["NONE"] for label in every) >= 320
    assert len({table.source for table in fresh}) >= 15


def test_decoys_are_mostly_look_alikes_and_never_measured_on(
    labels: dict[str, dict[str, Any]],
) -> None:
    decoys = bench.estates.decoys()
    every = [c for t in load() if t.part == "decoys" for c in labels[t.name].values()]
    share = sum("trap" in label and label["labels"] == ["NONE"] for label in every) / len(every)

    assert len(decoys) >= 20
    assert share >= 0.4
    assert not decoys & (bench.estates.holdout() | bench.estates.fresh())
