"""What bad sources do to a scan: each asset keeps its reason, and the scan goes on."""

import gzip
import json
import random
import sqlite3
import sys
from collections import Counter
from pathlib import Path

import duckdb
import pytest

from activities.connectors.boundary import Boundary
from activities.connectors.files.connector import FilesConnector
from activities.connectors.files.local import LocalStore
from activities.connectors.opening import connect
from activities.connectors.protocol import Asset, Connector, Sample
from local.scan import scan_once
from racine.errors import SourceFault
from racine.governance.data_sources import locations
from racine.governance.scan_rule_sets.rules import Rules

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ALL = Rules(sample="all")


def read(connector: Connector, asset: Asset) -> tuple[list[tuple[str | None, ...]], Counter[str]]:
    rows: list[tuple[str | None, ...]] = []
    told = Counter[str]()
    for batch in connector.read(asset, Sample()):
        rows += zip(*batch.columns, strict=True)
        told.update(batch.irregular)
    return rows, told


def only(path: Path, kind: str = "files") -> tuple[Connector, Asset]:
    connector = connect(locations.parse(str(path), kind), Boundary())
    (asset,) = connector.discover().assets
    return connector, asset


def test_a_folder_of_bad_files_is_scanned_to_its_end(tmp_path: Path) -> None:
    with duckdb.connect() as db:
        db.execute(f"COPY (SELECT range AS id FROM range(9)) TO '{tmp_path}/whole.parquet'")
    half = (tmp_path / "whole.parquet").read_bytes()
    (tmp_path / "half.parquet").write_bytes(half[: len(half) // 2])
    (tmp_path / "lies.parquet").write_text("id,email\n1,a@example.org\n")
    (tmp_path / "lies.csv.gz").write_text("id,email\n1,a@example.org\n")
    (tmp_path / "cut.csv.zst").write_bytes(
        zstd.compress(b"id\n" + random.Random(1).randbytes(9000))[:4000]
    )
    (tmp_path / "ragged.csv").write_text("a,b\n1,2\n3\n4,5,6\n7,8\n")
    (tmp_path / "mixed.csv").write_bytes("n,m\nZoë,1\n".encode() + "Zoë,2\n".encode("cp1252"))
    (tmp_path / "away.csv").symlink_to("/etc/passwd")
    report = scan_once(str(tmp_path), ALL)
    assert {a["name"]: a["rows"] for a in report["assets"]} == {
        "mixed.csv": 2, "ragged.csv": 4, "whole.parquet": 9,
    }  # fmt: skip
    assert {a["name"]: a["irregular"] for a in report["assets"]} == {
        "mixed.csv": {"lines of another encoding than the file's": 1},
        "ragged.csv": {
            "rows with fewer cells than columns": 1, "rows with more cells than columns": 1,
        },
        "whole.parquet": {},
    }  # fmt: skip
    reasons = {error["asset"]: error["message"] for error in report["errors"]}
    assert set(reasons) == {
        "half.parquet", "lies.parquet", "lies.csv.gz", "cut.csv.zst", "away.csv",
    }  # fmt: skip
    assert "not a whole gzip file" in reasons["lies.csv.gz"]
    assert "not a whole zstd file" in reasons["cut.csv.zst"]
    assert "leads out" in reasons["away.csv"]


def test_a_zstd_bomb_is_stopped(tmp_path: Path) -> None:
    with zstd.open(tmp_path / "a.csv.zst", "wb") as stream:
        stream.write(b"id,name\n")
        for _ in range(270):
            stream.write((b"1," + b"0" * 1021 + b"\n") * 1024)
    connector, asset = only(tmp_path / "a.csv.zst")
    with pytest.raises(SourceFault, match="times its size"):
        read(connector, asset)


def test_zstd_frames_that_want_much_memory_are_refused(tmp_path: Path) -> None:
    options: dict[int, int] = {zstd.CompressionParameter.window_log: 30}
    with zstd.open(tmp_path / "a.csv.zst", "wb", options=options) as stream:
        stream.write(b"id,name\n1,x\n" * 200_000)
    connector = FilesConnector(LocalStore(str(tmp_path / "a.csv.zst")))
    (asset,) = connector.discover().assets
    assert "is not a whole zstd file" in str(asset.error)


def test_ten_thousand_columns(tmp_path: Path) -> None:
    header = ",".join(f"c{n}" for n in range(10_000))
    line = ",".join(str(n) for n in range(10_000))
    (tmp_path / "wide.csv").write_text(header + "\n" + f"{line}\n" * 30)
    record = json.dumps({f"c{n}": n for n in range(10_000)})
    (tmp_path / "wide.jsonl").write_text(f"{record}\n" * 30)
    for name in ("wide.csv", "wide.jsonl"):
        connector, asset = only(tmp_path / name)
        rows, told = read(connector, asset)
        assert (len(asset.columns), len(rows), len(rows[0]), told) == (10_000, 30, 10_000, {})


def test_a_value_too_large_for_sqlite_leaves_its_row_out(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "a.db") as db:
        db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, note TEXT)")
        db.execute("INSERT INTO t VALUES (1, 'a'), (3, 'c'), (4, 'd')")
        db.execute("INSERT INTO t VALUES (2, ?)", ("x" * (17 << 20),))
    db.close()
    connector, asset = only(tmp_path / "a.db", "sqlite")
    rows, told = read(connector, asset)
    assert rows == [("1", "a"), ("3", "c"), ("4", "d")]
    assert told == {"rows with a value over 16 MB, left out": 1}
    connector.close()


def test_values_of_other_types_than_declared_are_read(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "a.db") as db:
        db.execute("CREATE TABLE t (n INTEGER, day DATE)")
        db.execute("INSERT INTO t VALUES (1, '2020-01-01'), ('many', 7), (x'00ff', 2.5)")
    db.close()
    connector, asset = only(tmp_path / "a.db", "sqlite")
    assert read(connector, asset)[0] == [("1", "2020-01-01"), ("many", "7"), (None, "2.5")]
    connector.close()
    (tmp_path / "a.jsonl").write_text('{"n": 1}\n{"n": {"deep": "x"}}\n[1, 2]\n"text"\n')
    connector, asset = only(tmp_path / "a.jsonl")
    assert [c.name for c in asset.columns] == ["n", "n.deep", "[]", "value"]
    batches = list(connector.read(asset, Sample()))
    assert [[v for v in c if v is not None] for c in batches[0].columns] == [
        ["1"], ["x"], ["1", "2"], ["text"],
    ]  # fmt: skip


def test_a_bomb_in_json_lines_is_stopped(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "a.jsonl.gz", "wb", compresslevel=9) as stream:
        stream.write(b'{"id": 1}\n')
        for _ in range(270):
            stream.write((b'{"id": "' + b"0" * 1013 + b'"}\n') * 1024)
    connector, asset = only(tmp_path / "a.jsonl.gz")
    with pytest.raises(SourceFault, match="times its size"):
        read(connector, asset)
