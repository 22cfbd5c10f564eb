"""`racine classifiers` on real files."""

import json
from pathlib import Path

from typer.testing import CliRunner

from models.classifiers import load
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


def test_a_function_of_ones_own_is_kept_with_its_entry_and_asked_again(tmp_path: Path) -> None:
    file, folder = tmp_path / "even.yaml", tmp_path / "mine"
    file.write_text("- id: even_code\n  examples: {match: ['12'], reject: ['13']}\n")
    target = "tests.racine.governance.classifications.test_cli:is_even"
    arguments = ["add", str(file), "--python", target, "--yes", "--folder", str(folder)]
    result = CliRunner().invoke(app, [*arguments, "--output", "json"])
    assert result.exit_code == 0, result.output
    rates = json.loads(result.stdout)["chance_rates"]["even_code"]
    assert 0.4 < rates["6 digits"] < 0.6
    (kept,) = load(folder)
    assert kept.check is not None
    assert (kept.check("12"), kept.check("13")) == (True, False)


def is_even(value: str) -> bool:
    return value.isdigit() and int(value) % 2 == 0


def test_own_classifiers_show_whose_values_they_share_before_they_are_saved(
    tmp_path: Path,
) -> None:
    file, folder = tmp_path / "nine.yaml", tmp_path / "mine"
    file.write_text("- id: nine\n  pattern: '[0-9]{9}'\n  examples: {match: ['161260333']}\n")
    arguments = ["add", str(file), "--folder", str(folder), "--output", "json"]
    result = CliRunner().invoke(app, arguments, input="n\n")
    report = json.loads(result.stdout[: result.stdout.rindex("}") + 1])
    assert report["chance_rates"]["nine"]["9 digits"] == 1.0
    assert "us_routing_number" in {
        pair["other"] for pair in report["collisions"] if pair["accepting"] == "nine"
    }
    assert not folder.exists()
