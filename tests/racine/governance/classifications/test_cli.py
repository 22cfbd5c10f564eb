"""`racine classifiers` on real files."""

import json
from pathlib import Path

from typer.testing import CliRunner

from racine.cli.classifiers import app
from racine.errors import InvalidInput

BADGE = "- id: badge\n  pattern: 'B-[0-9]{4}'\n  examples: {match: [B-1204], reject: [B-12]}\n"


def test_a_pack_is_listed_with_its_chance_rates() -> None:
    result = CliRunner().invoke(app, ["list", "--pack", "br", "--output", "json"])
    listed = {item["id"]: item["chance"] for item in json.loads(result.stdout)}
    assert 0.005 < listed["br_cpf"] < 0.02


def test_one_classifier_is_shown_with_its_examples() -> None:
    result = CliRunner().invoke(app, ["show", "tr_tckn", "--output", "json"])
    shown = json.loads(result.stdout)
    assert shown["validator"] == "stdnum:tr.tckimlik"
    assert shown["matching"]


def test_an_unknown_classifier_is_refused_by_name() -> None:
    result = CliRunner().invoke(app, ["show", "nothing_such"])
    assert isinstance(result.exception, InvalidInput)


def test_a_classifier_is_measured_before_it_is_saved(tmp_path: Path) -> None:
    file, folder = tmp_path / "badge.yaml", tmp_path / "mine"
    file.write_text(BADGE)
    arguments = ["add", str(file), "--yes", "--folder", str(folder), "--output", "json"]
    result = CliRunner().invoke(app, arguments)
    report = json.loads(result.stdout)
    assert report["chance_rates"] == {"badge": {"same shape": 1.0}}
    assert (folder / "badge.yaml").read_text() == BADGE


def test_what_fails_its_own_example_is_not_saved(tmp_path: Path) -> None:
    file, folder = tmp_path / "badge.yaml", tmp_path / "mine"
    file.write_text(BADGE.replace("B-1204", "wrong"))
    result = CliRunner().invoke(app, ["add", str(file), "--yes", "--folder", str(folder)])
    assert isinstance(result.exception, InvalidInput)
    assert not folder.exists()


def test_a_word_list_becomes_a_classifier(tmp_path: Path) -> None:
    file, folder = tmp_path / "floors.txt", tmp_path / "mine"
    file.write_text("ground\nfirst\nattic\n")
    result = CliRunner().invoke(app, ["add", str(file), "--yes", "--folder", str(folder)])
    assert result.exit_code == 0
    assert json.loads((folder / "floors.yaml").read_text())[0]["words"][2] == "attic"
