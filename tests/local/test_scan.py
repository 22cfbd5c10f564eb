"""The one-shot scan, as a process and as a function."""

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from activities.connectors.boundary import Boundary
from local.scan import WHOLE, locate, read_rules, scan_once
from models.classifiers import load
from racine.errors import InvalidInput, SourceFault
from racine.governance.scan_rule_sets.rules import Rules
from tests.activities.connectors import estates
from tests.mariadb import mariadb
from tests.s3 import gateway

ALL = Rules(sample="all")


PROGRAM = """
import sys
from pathlib import Path
import typer
from local.scan import scan
target, output, *more = sys.argv[1:]
rules, own = [Path(given) if given else None for given in (*more, "", "")[:2]]
try:
    scan(target, rules, output, own)
except typer.Exit as end:
    sys.exit(end.exit_code)
"""


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Scan in a process of its own: target, form of the output, rule set, classifiers."""
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, timeout=200,
        env=os.environ | variables,
    )  # fmt: skip


def shop(folder: Path) -> Path:
    (folder / "hr").mkdir()
    people = [f"{n},Person {n},person{n}@example.org" for n in range(30)]
    (folder / "hr" / "people.csv").write_text("id,name,email\n" + "\n".join(people))
    (folder / "orders.csv").write_text("order_no,total\n1001,9.50\n1002,\n1002,3.20\n")
    (folder / "broken.parquet").write_bytes(b"PAR1")
    return folder


def test_the_report_has_the_published_form(tmp_path: Path) -> None:
    report = scan_once(str(shop(tmp_path)), ALL)
    assert report["source"] == {"kind": "files", "location": str(tmp_path)}
    assert [a["name"] for a in report["assets"]] == ["hr/people.csv", "orders.csv"]
    people, orders = report["assets"]
    assert (people["kind"], people["rows"]) == ("file", 30)
    email = people["columns"][2]
    assert {k: email[k] for k in ("name", "type", "nulls", "distinct")} == {
        "name": "email", "type": "text", "nulls": 0, "distinct": 30,
    }  # fmt: skip
    assert email["classifications"][0]["kind"] == "email"
    assert set(email["classifications"][0]) >= {"id", "kind", "confidence", "evidence"}
    assert email["sensitivity"] != "public"
    number, total = orders["columns"]
    assert (number["classifications"], number["type"], number["distinct"]) == ([], "integer", 2)
    assert (total["type"], total["nulls"]) == ("number", 1)
    assert [e["asset"] for e in report["errors"]] == ["broken.parquet"]
    assert report["totals"]["rows"] == 33


def test_json_on_standard_output_alone(tmp_path: Path) -> None:
    done = run(str(shop(tmp_path)), "json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["totals"]["columns"] == 5
    assert "person1@" not in done.stdout


def test_the_table_names_what_was_found_and_what_failed(tmp_path: Path) -> None:
    shop(tmp_path)
    (tmp_path / "ragged.csv").write_text("a,b\n1,2\n3\n4,5\n")
    done = run(str(tmp_path), "table")
    assert done.returncode == 0
    assert "irregular ragged.csv: 1 rows with fewer cells than columns" in done.stdout
    assert "hr/people.csv" in done.stdout
    assert "broken.parquet" in done.stdout
    assert "3 assets, 7 columns, 36 rows read" in done.stdout


def test_a_scan_by_hand_is_cut_short_only_where_its_rule_set_says_so(tmp_path: Path) -> None:
    assert WHOLE.budget.seconds is None
    rules = tmp_path / "rules.yaml"
    rules.write_text("sample: all\nbudget: {seconds: 0.000001}\n")
    done = run(str(shop(tmp_path)), "table", str(rules))
    assert "cut short hr/people.csv: 29 rows, budget of seconds" in done.stdout


@pytest.mark.parametrize(
    ("target", "code", "said"),
    [
        ("/no/such/file.csv", 1, "There is no file or folder /no/such/file.csv."),
        ("oracle://u:hunter2@h/d", 2, "There is no connector for oracle:// locations."),
        ("postgresql://u:hunter2@127.0.0.1:1/d", 1, "postgresql://u@127.0.0.1:1/d: no connection"),
        ("postgresql://u:hunter2@169.254.169.254/d", 1, "link-local or metadata address"),
        ("postgresql://u:hunter2@no.such.host.invalid/d", 1, "cannot be resolved"),
    ],
)
def test_bad_targets_end_in_one_clear_line(target: str, code: int, said: str) -> None:
    done = run(target, "json")
    assert done.returncode == code
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert said in done.stderr
    assert "hunter2" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_rule_set_chooses_assets_and_thresholds(tmp_path: Path) -> None:
    shop(tmp_path)
    rules = tmp_path / "rules.yaml"
    rules.write_text("include: ['hr/**']\nsample: 10\ndisabled: [email]\n")
    report = json.loads(run(str(tmp_path), "json", str(rules)).stdout)
    assert [a["name"] for a in report["assets"]] == ["hr/people.csv"]
    assert report["assets"][0]["rows_read"] == 10
    assert report["assets"][0]["rows"] == 30
    assert "email" not in report["totals"]["by_kind"]
    assert report["totals"]["excluded"] == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [("include: [", "not valid YAML at line 1"), ("colour: red", "/colour"), ("- 1", "faults")],
)
def test_faulty_rule_sets_are_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(text)
    with pytest.raises(InvalidInput) as caught:
        read_rules(path)
    assert said in str(caught.value)


def test_files_tell_their_kind_by_their_first_bytes(tmp_path: Path) -> None:
    path = tmp_path / "noname"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE t (a)")
    db.close()
    assert locate(str(path)).kind == "sqlite"
    (tmp_path / "x.duckdb").write_bytes(b"\0" * 8 + b"DUCK" + b"\0" * 8)
    assert locate(str(tmp_path / "x.duckdb")).kind == "duckdb"
    assert locate(str(tmp_path)).kind == "files"


@pytest.mark.timeout(400)
def test_servers_and_buckets_are_scanned_by_url(tmp_path: Path) -> None:
    with mariadb() as server, gateway() as store:
        csv = estates.bucket(".csv", estates.write_csv)(tmp_path, store)
        for location in (estates.mysql(tmp_path, server), csv):
            report = json.loads(run(location, "json").stdout)
            assert report["errors"] == []
            assert "root-secret" not in json.dumps(report)
            assert report["totals"]["by_kind"].items() >= {"email": 11, "iban": 1}.items()
        bare = csv.replace("root-key:root-secret@", "")
        keys = {"AWS_ACCESS_KEY_ID": "root-key", "AWS_SECRET_ACCESS_KEY": "root-secret"}
        assert json.loads(run(bare, "json", **keys).stdout)["totals"]["errors"] == 0
        refused = run(bare, "json")
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "may not read this" in refused.stderr


def test_databases_are_scanned_by_url(postgres_db_url: str, tmp_path: Path) -> None:
    for location in (
        estates.postgres(tmp_path, postgres_db_url),
        f"sqlite:///{estates.sqlite(tmp_path, '')}",
        f"duckdb:///{estates.duck(tmp_path, '')}",
    ):
        report = scan_once(location, ALL)
        assert report["errors"] == []
        people = next(a for a in report["assets"] if a["name"].endswith("people"))
        assert people["rows"] == estates.ROWS
        kinds = {c["name"]: [k["kind"] for k in c["classifications"]] for c in people["columns"]}
        assert kinds["e mail"] == ["email"]


BADGE = """
- id: badge
  sensitivity: confidential
  headers: [badge]
  pattern: "B-[0-9]{4}-[KLM]"
"""


def test_a_users_own_classifier_finds_its_column(tmp_path: Path) -> None:
    own, data = tmp_path / "own", tmp_path / "data"
    own.mkdir()
    data.mkdir()
    (own / "badge.yaml").write_text(BADGE)
    lines = [f"{n},B-{n}-K" for n in range(1000, 1040)]
    (data / "staff.csv").write_text("id,badge\n" + "\n".join(lines))
    found = run(str(data), "json", "", str(own))
    assert found.returncode == 0, found.stderr
    report = json.loads(found.stdout)
    assert report["totals"]["by_kind"] == {"badge": 1}
    assert report["assets"][0]["columns"][1]["sensitivity"] == "confidential"
    assert scan_once(str(data), ALL)["totals"]["by_kind"] == {}


def test_classifiers_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="elsewhere cannot be read"):
        load(tmp_path / "elsewhere")
    (tmp_path / "a.yaml").write_text(BADGE)
    (tmp_path / "b.yaml").write_text(BADGE)
    with pytest.raises(InvalidInput, match="'badge' is declared twice"):
        load(tmp_path)
    (tmp_path / "b.yaml").write_text("- id: x\n  colour: red\n")
    with pytest.raises(InvalidInput, match=r"b\.yaml cannot be used.*colour is not known"):
        load(tmp_path)
    (tmp_path / "b.yaml").unlink()
    assert [entry.id for entry in load(tmp_path)] == ["badge"]


def test_a_table_of_five_rows_and_one_of_none(tmp_path: Path) -> None:
    (tmp_path / "few.csv").write_text(
        "email\n" + "\n".join(f"p{n}@example.org" for n in range(5)) + "\n"
    )
    (tmp_path / "none.csv").write_text("email,phone\n")
    few, none = scan_once(str(tmp_path), ALL)["assets"]
    assert few["columns"][0]["classifications"][0]["kind"] == "email"
    assert (none["rows"], len(none["columns"])) == (0, 2)


def test_the_boundary_keeps_files_in_their_folders(tmp_path: Path) -> None:
    inside = Boundary(folders=(tmp_path,))
    assert inside.file(str(tmp_path / "a.db"))
    with pytest.raises(SourceFault, match="outside the folders"):
        inside.file("/etc/passwd")
    with pytest.raises(SourceFault, match="outside the folders"):
        inside.file(str(tmp_path / ".." / "b.db"))


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "0.0.0.0", "169.254.1.1", "fd00:ec2::254"]
)
def test_addresses_no_source_may_have(host: str) -> None:
    with pytest.raises(SourceFault):
        Boundary(loopback=False).resolve(host, 5432)


def test_loopback_is_a_setting() -> None:
    assert Boundary(loopback=True).resolve("127.0.0.1", 5432) == "127.0.0.1"


def typed(report: dict[str, Any], column: str) -> str:
    return next(
        str(c["type"]) for a in report["assets"] for c in a["columns"] if c["name"] == column
    )


def test_types_of_text_files_are_read_from_the_values(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "n,f,z,d,t,b,s\n1,1.5,007,2020-01-01,2020-01-01T10:00,true,x\n"
        "2,2,008,2020-01-02,2020-01-01 11:00,FALSE,y\n"
    )
    report = scan_once(str(tmp_path), ALL)
    assert [typed(report, c) for c in "nfzdtbs"] == [
        "integer", "number", "text", "date", "timestamp", "boolean", "text",
    ]  # fmt: skip
    assert os.listdir(tmp_path) == ["a.csv"]
