"""Files that are one asset."""

import csv
import json
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import duckdb
import pytest

from activities.connectors.files import sets
from activities.connectors.files.connector import FilesConnector
from activities.connectors.files.local import LocalStore
from activities.connectors.files.store import Entry
from activities.connectors.protocol import Asset, Sample


def connector(folder: Path) -> FilesConnector:
    return FilesConnector(LocalStore(str(folder)))


def found(folder: Path) -> dict[str, Asset]:
    listing = connector(folder).discover()
    assert listing.clean
    return {asset.name: asset for asset in listing.assets}


def write(path: Path, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows([header, *rows])
    return path


def rows_of(folder: Path, asset: Asset, sample: int | None = None) -> list[tuple[str | None, ...]]:
    return [
        row
        for batch in connector(folder).read(asset, Sample(sample))
        for row in zip(*batch.columns, strict=True)
    ]


def orders(folder: Path, days: int = 5, rows: int = 3) -> None:
    for day in range(1, days + 1):
        lines = [(f"{day}-{n}", f"p{day}.{n}@example.org") for n in range(rows)]
        write(folder / f"orders_2024-01-{day:02d}.csv", ["order", "email"], lines)


@pytest.mark.parametrize(
    ("path", "name", "keys"),
    [
        ("orders_2024-01-01.csv", "orders_*.csv", ()),
        ("orders_20240101.csv.gz", "orders_*.csv.gz", ()),
        ("part-00000.parquet", "part-*.parquet", ()),
        ("part-00000-0a1b2c3d-1111-2222-3333-444455556666-c000.snappy.parquet",
         "part-*-c*.snappy.parquet", ()),
        ("logs/2024/01/15/app.jsonl", "logs/*/*/*/app.jsonl", ()),
        ("logs/2024-01-15/app.jsonl", "logs/*/app.jsonl", ()),
        ("sales/year=2024/month=01/a.parquet", "sales/year=*/month=*/a.parquet",
         ("year", "month")),
        ("sales/country=DE/part-1.parquet", "sales/country=*/part-*.parquet", ("country",)),
        ("v2/people.csv", None, ()),
        ("people.csv", None, ()),
    ],
)  # fmt: skip
def test_the_pattern_of_a_path(path: str, name: str | None, keys: tuple[str, ...]) -> None:
    assert sets.pattern(path) == (sets.Pattern(name, keys) if name else None)


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("hr/people.csv.gz", "people"),
        ("orders_*.csv", "orders"),
        ("sales/year=*/month=*/part-*.parquet", "sales"),
        ("logs/*/*/app.jsonl", "app"),
        ("*.csv", "*"),
        ("sales/*.csv", "sales"),
    ],
)
def test_a_set_is_judged_by_its_own_name(name: str, title: str) -> None:
    assert sets.title(name) == title


def test_dated_files_are_one_asset(tmp_path: Path) -> None:
    orders(tmp_path)
    write(tmp_path / "people.csv", ["id", "name"], [(1, "Ada")])
    assets = found(tmp_path)
    assert set(assets) == {"orders_*.csv", "people.csv"}
    asset = assets["orders_*.csv"]
    assert [part.name for part in asset.parts] == [f"orders_2024-01-0{n}.csv" for n in range(1, 6)]
    assert asset.bytes == sum(part.bytes or 0 for part in asset.parts)
    assert len(rows_of(tmp_path, asset)) == 15
    assert connector(tmp_path).count(asset) == 15


def test_two_files_or_unlike_ones_keep_their_names(tmp_path: Path) -> None:
    orders(tmp_path, days=2)
    for n in range(4):
        write(tmp_path / f"table_{n}.csv", [f"a{n}", f"b{n}"], [(n, n)])
    names = {f"orders_2024-01-0{n}.csv" for n in (1, 2)} | {f"table_{n}.csv" for n in range(4)}
    assert set(found(tmp_path)) == names


def test_files_without_a_header_keep_their_names(tmp_path: Path) -> None:
    for n in range(4):
        write(tmp_path / f"{n}.csv", [f"{n}", f"a{n}@example.org"], [(9, "b@example.org")] * 3)
    assert set(found(tmp_path)) == {f"{n}.csv" for n in range(4)}


def test_a_stranger_among_a_set_is_its_own_asset(tmp_path: Path) -> None:
    orders(tmp_path)
    write(tmp_path / "orders_2024.csv", ["region", "target", "actual"], [("EU", 1, 2)])
    assert set(found(tmp_path)) == {"orders_*.csv", "orders_2024.csv"}


def test_every_schema_is_kept_with_its_first_and_last_file(tmp_path: Path) -> None:
    for n in range(1, 5):
        header = ["order", "email", *(["coupon"] if n > 2 else [])]
        path = write(tmp_path / f"orders_{n}.csv", header, [(n, "a@b.org", "X")[: len(header)]])
        os.utime(path, (1_700_000_000 + n, 1_700_000_000 + n))
    asset = found(tmp_path)["orders_*.csv"]
    assert [c.name for c in asset.columns] == ["order", "email", "coupon"]
    old, new = asset.details["schemas"]
    assert (list(old["columns"]), old["parts"]) == (["order", "email"], 2)
    assert (old["first"], old["last"]) == ("orders_1.csv", "orders_2.csv")
    assert old["first_seen"] == "2023-11-14T22:13:21+00:00"
    assert (new["first"], new["last_seen"]) == ("orders_3.csv", "2023-11-14T22:13:24+00:00")
    assert rows_of(tmp_path, asset)[0] == ("1", "a@b.org", None)
    assert rows_of(tmp_path, asset)[-1] == ("4", "a@b.org", "X")


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_partitions_are_columns(tmp_path: Path, suffix: str) -> None:
    for year, month in (("2023", "12"), ("2024", "01"), ("2024", "%C3%BC")):
        path = tmp_path / "sales" / f"year={year}" / f"month={month}" / f"data.{suffix}"
        path.parent.mkdir(parents=True)
        if suffix == "csv":
            write(path, ["id", "total"], [(1, 9.5), (2, 3)])
        elif suffix == "jsonl":
            path.write_text("".join(json.dumps({"id": n, "total": n}) + "\n" for n in (1, 2)))
        else:
            with duckdb.connect() as db:
                db.execute(f"COPY (SELECT 1 AS id, 2 AS total UNION SELECT 2, 3) TO '{path}'")
    (asset,) = found(tmp_path).values()
    assert asset.name == f"sales/year=*/month=*/data.{suffix}"
    assert [(c.name, c.type == "partition") for c in asset.columns] == [
        ("id", False), ("total", False), ("year", True), ("month", True),
    ]  # fmt: skip
    assert asset.details["partitions"] == {"year": 2, "month": 3}
    rows = rows_of(tmp_path, asset)
    assert Counter(row[2:] for row in rows) == {
        ("2023", "12"): 2, ("2024", "01"): 2, ("2024", "ü"): 2,
    }  # fmt: skip
    assert connector(tmp_path).count(asset) == 6


def test_a_null_partition_is_a_null() -> None:
    assert sets.values("s/day=__HIVE_DEFAULT_PARTITION__/a=1/f.csv") == {"day": None, "a": "1"}


def test_a_read_of_a_set_goes_on_in_the_middle_of_a_file(tmp_path: Path) -> None:
    orders(tmp_path, days=4, rows=60_000)
    asset = found(tmp_path)["orders_*.csv"]
    batches = list(connector(tmp_path).read(asset, Sample()))
    middle = next(n for n, b in enumerate(batches) if str(b.position).endswith("-02.csv"))
    rest = connector(tmp_path).read(asset, Sample(), batches[middle].position)
    assert sum(b.rows for b in rest) == sum(b.rows for b in batches[middle + 1 :])


def test_a_set_restricted_to_changed_files_reads_these_alone(tmp_path: Path) -> None:
    orders(tmp_path)
    before = found(tmp_path)["orders_*.csv"]
    write(tmp_path / "orders_2024-01-03.csv", ["order", "email"], [("3-9", "new@example.org")])
    orders_9 = [("9-1", "nine@example.org")]
    write(tmp_path / "orders_2024-01-09.csv", ["order", "email"], orders_9)
    after = found(tmp_path)["orders_*.csv"]
    assert after.fingerprint != before.fingerprint
    assert after.schema == before.schema
    changed = after.only(set(after.parts) - set(before.parts))
    assert sorted(row[0] or "" for row in rows_of(tmp_path, changed)) == ["3-9", "9-1"]


def test_a_broken_file_of_a_set_is_told_and_the_rest_is_read(tmp_path: Path) -> None:
    for n in range(5):
        with duckdb.connect() as db:
            db.execute(f"COPY (SELECT {n} AS id) TO '{tmp_path}/part-{n}.parquet'")
    whole = (tmp_path / "part-3.parquet").read_bytes()
    (tmp_path / "part-3.parquet").write_bytes(whole[: len(whole) // 2])
    (asset,) = found(tmp_path).values()
    batches = list(connector(tmp_path).read(asset, Sample()))
    assert [v for b in batches for v in b.columns[0]] == ["0", "1", "2", "4"]
    (reason,) = batches[-1].irregular
    assert reason.startswith("part-3.parquet: DuckDB could not read")


def test_a_sample_of_a_set_comes_from_its_whole_length(tmp_path: Path) -> None:
    orders(tmp_path, days=28, rows=500)
    asset = found(tmp_path)["orders_*.csv"]
    rows = rows_of(tmp_path, asset, sample=280)
    assert len(rows) == len(set(rows)) == 280
    days = Counter(str(row[0]).split("-")[0] for row in rows)
    assert len(days) == 28
    assert max(days.values()) <= 18


def test_a_thousand_partitions_have_one_schema_and_are_listed_fast(tmp_path: Path) -> None:
    for n in range(1000):
        write(tmp_path / "s" / f"day={n}" / "a.csv", ["id", "email"], [(n, f"p{n}@example.org")])
    (asset,) = found(tmp_path).values()
    assert (len(asset.parts), len(asset.columns), len(asset.details["schemas"])) == (1000, 3, 1)
    assert asset.details["schemas"][0]["parts"] == 1000


class Counting(LocalStore):
    """Counts how often each file is opened."""

    def __init__(self, location: str) -> None:
        super().__init__(location)
        self.opened = Counter[str]()

    def open(self, entry: Entry) -> BinaryIO:
        self.opened[entry.name] += 1
        return super().open(entry)


def test_each_file_of_a_set_is_opened_once_to_list_it_and_once_to_read_it(tmp_path: Path) -> None:
    orders(tmp_path, days=9)
    listing, reading = Counting(str(tmp_path)), Counting(str(tmp_path))
    (asset,) = FilesConnector(listing).discover().assets
    rows = sum(batch.rows for batch in FilesConnector(reading).read(asset, Sample()))
    assert rows == 27
    assert listing.opened == reading.opened == dict.fromkeys((p.name for p in asset.parts), 1)


def test_files_of_a_set_that_differ_in_their_header_are_read_by_their_own(tmp_path: Path) -> None:
    orders(tmp_path)
    write(tmp_path / "orders_2024-02-01.csv", ["email", "order"], [("x@example.org", "9-9")])
    (tmp_path / "orders_2024-02-02.csv").write_text("order;email\n8-8;y@example.org\n")
    asset = found(tmp_path)["orders_*.csv"]
    order, email = ([c.name for c in asset.columns].index(n) for n in ("order", "email"))
    read = {(row[order], row[email]) for row in rows_of(tmp_path, asset)}
    assert {("9-9", "x@example.org"), ("8-8", "y@example.org")} <= read


def test_a_set_below_a_link_to_its_folder_is_read(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    for n in range(3):
        duckdb.execute(f"COPY (SELECT {n} AS id) TO '{real}/part-{n}.parquet'")
    (tmp_path / "link").symlink_to(real)
    (asset,) = found(tmp_path / "link").values()
    assert sorted(rows_of(tmp_path / "link", asset)) == [("0",), ("1",), ("2",)]


def test_a_pipe_is_told_and_not_waited_for(tmp_path: Path) -> None:
    orders(tmp_path)
    os.mkfifo(tmp_path / "orders_2024-01-09.csv")
    assert "no regular file" in str(found(tmp_path)["orders_2024-01-09.csv"].error)
