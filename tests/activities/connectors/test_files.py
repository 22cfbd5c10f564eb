"""Files as people leave them: dialects, headers, faults."""

import gzip
import json
from collections import Counter
from pathlib import Path

import duckdb
import pytest

from activities.connectors.duckdb_file import DuckdbConnector
from activities.connectors.files import dialect
from activities.connectors.files.connector import FilesConnector
from activities.connectors.files.local import LocalStore
from activities.connectors.protocol import Asset, Sample
from racine.errors import SourceFault


def only(path: Path) -> tuple[FilesConnector, Asset]:
    connector = FilesConnector(LocalStore(str(path)))
    (asset,) = connector.discover().assets
    return connector, asset


def table(path: Path, sample: int | None = None) -> tuple[list[str], list[tuple[str | None, ...]]]:
    connector, asset = only(path)
    assert asset.error is None
    rows = [
        row
        for batch in connector.read(asset, Sample(sample))
        for row in zip(*batch.columns, strict=True)
    ]
    return [column.name for column in asset.columns], rows


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def test_cells_are_kept_as_they_are_written(tmp_path: Path) -> None:
    text = (
        'zip,day,big,blank,note\r\n00123,03/04/2020,1e5,,"a ""b"", \nc"\r\n01,n/a,NULL, x ,\\N\r\n'
    )
    names, rows = table(write(tmp_path / "a.csv", text))
    assert names == ["zip", "day", "big", "blank", "note"]
    assert rows == [
        ("00123", "03/04/2020", "1e5", "", 'a "b", \nc'),
        ("01", "n/a", "NULL", " x ", "\\N"),
    ]


@pytest.mark.parametrize(
    ("encoding", "bom"),
    [("utf-8", ""), ("utf-8", "\ufeff"), ("utf-16", ""), ("utf-16-le", ""), ("cp1252", "")],
)
def test_encodings_are_told_apart(tmp_path: Path, encoding: str, bom: str) -> None:
    text = bom + "name,town\n" + "José,Málaga\nZoë,Köln\n" * 20
    names, rows = table(write(tmp_path / "a.csv", text, encoding))
    assert names == ["name", "town"]
    assert rows[:2] == [("José", "Málaga"), ("Zoë", "Köln")]
    assert len(rows) == 40


def test_lines_of_two_encodings_are_both_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"name,n\n" + "José,1\n".encode() + "Zoë,2\n".encode("cp1252"))
    assert table(path)[1] == [("José", "1"), ("Zoë", "2")]


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_delimiters_are_told_apart(tmp_path: Path, mark: str) -> None:
    lines = [["id", "name", "note"], ["1", "Ada", "x; y, z"], ["2", "Bo", "w"]]
    quoted = (mark.join(f'"{cell}"' for cell in line) for line in lines)
    names, rows = table(write(tmp_path / "a.csv", "\n".join(quoted)))
    assert names == ["id", "name", "note"]
    assert rows == [("1", "Ada", "x; y, z"), ("2", "Bo", "w")]


def test_one_column_of_prose_stays_one(tmp_path: Path) -> None:
    text = "title\nFish &amp; chips\nRice &amp; beans\nSalt | pepper\n"
    assert table(write(tmp_path / "a.csv", text))[0] == ["title"]


def test_old_line_ends_are_read(tmp_path: Path) -> None:
    assert table(write(tmp_path / "a.csv", "id,name\r1,Ada\r2,Bo\r"))[1] == [
        ("1", "Ada"),
        ("2", "Bo"),
    ]


@pytest.mark.parametrize(
    ("rows", "header"),
    [
        ([["id", "email"], ["1", "a@example.org"]], True),
        ([["1", "a@example.org"], ["2", "b@example.org"]], False),
        ([["name"], ["Ada"], ["Grace"]], True),
        ([["2020-01-01", "12.5"], ["2020-01-02", "13.5"]], False),
        ([["country", "1990", "1991"], ["Chad", "12", "13"], ["Mali", "14", "15"]], True),
        ([["Ada", "open"], ["Bo", "open"], ["Cy", "open"], ["Di", "shut"]], False),
        ([["language"], ["English"], ["French"]], True),
        ([["only row", "of", "words"]], True),
        ([["column_1", "column_2"], ["x", "y"]], True),
    ],
)
def test_a_header_is_told_from_data(rows: list[list[str]], header: bool) -> None:
    assert dialect.has_header(rows) is header


def test_columns_without_a_header_are_numbered(tmp_path: Path) -> None:
    names, rows = table(write(tmp_path / "a.csv", "1,a@example.org\n2,b@example.org\n"))
    assert names == ["column_1", "column_2"]
    assert len(rows) == 2


def test_empty_and_repeated_names_are_told_apart(tmp_path: Path) -> None:
    names, _ = table(write(tmp_path / "a.csv", "id,,name,name,name_2\n1,2,3,4,5\n"))
    assert names == ["id", "column_2", "name", "name_2", "name_2_2"]


def test_ragged_rows_are_evened(tmp_path: Path) -> None:
    _, rows = table(write(tmp_path / "a.csv", "a,b,c\n1,2,3\n4,5\n6,7,8,9\n\n10,11,12\n"))
    assert rows == [("1", "2", "3"), ("4", "5", None), ("6", "7", "8"), ("10", "11", "12")]


def test_a_stray_quote_does_not_swallow_the_file(tmp_path: Path) -> None:
    lines = [f'{n},size 5" pipe,x' for n in range(2000)]
    _, rows = table(write(tmp_path / "a.csv", "id,what,tag\n" + "\n".join(lines) + "\n"))
    assert len(rows) == 2000


def test_files_without_rows_or_content_are_assets(tmp_path: Path) -> None:
    assert table(write(tmp_path / "a.csv", "id,name\n")) == (["id", "name"], [])
    (tmp_path / "a.csv").unlink()
    assert table(write(tmp_path / "empty.csv", "")) == ([], [])


def test_nested_records_become_columns_by_path(tmp_path: Path) -> None:
    records = [
        {"id": 1, "who": {"email": "a@example.org"}, "items": [{"sku": "x"}, {"sku": "y"}]},
        {"id": 2, "tags": ["p", "q"], "ok": True},
    ]
    path = write(tmp_path / "a.jsonl", "\n".join(map(json.dumps, records)) + "\nnot json\n")
    connector, asset = only(path)
    assert [c.name for c in asset.columns] == ["id", "who.email", "items[].sku", "tags[]", "ok"]
    (batch,) = connector.read(asset, Sample())
    assert batch.rows == 2
    assert [list(column) for column in batch.columns] == [
        ["1", "2"],
        ["a@example.org", None],
        ["x", "y", None],
        [None, "p", "q"],
        [None, "true"],
    ]


@pytest.mark.parametrize(
    "text",
    ['[{"id": 1}, {"id": 2}]', '{"id": 1}\n{"id": 2}\n', '[\n  {"id": 1},\n  {"id": 2}\n]'],
)
def test_json_is_read_as_an_array_or_by_lines(tmp_path: Path, text: str) -> None:
    assert table(write(tmp_path / "a.json", text)) == (["id"], [("1",), ("2",)])


def test_nested_parquet_columns_have_paths(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    query = "SELECT 1 AS id, {'city': 'Ghent', 'geo': {'lat': 51.05}} AS place"
    with duckdb.connect() as db:
        db.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
    assert table(path) == (["id", "place.city", "place.geo.lat"], [("1", "Ghent", "51.05")])


def test_nested_columns_of_a_duckdb_table_have_paths(tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    with duckdb.connect(str(path)) as db:
        db.execute("CREATE TABLE t AS SELECT 1 AS id, {'city': 'Ghent', 'tags': ['a', 'b']} AS x")
        db.execute("CREATE VIEW v AS SELECT x FROM t")
    connector = DuckdbConnector(str(path))
    for asset in connector.discover().assets:
        (batch,) = connector.read(asset, Sample())
        found = dict(zip((c.name for c in asset.columns), map(list, batch.columns), strict=True))
        assert (found["x.city"], found["x.tags[]"]) == (["Ghent"], ["a", "b"])
    connector.close()


@pytest.mark.parametrize("suffix", ["parquet", "jsonl"])
@pytest.mark.parametrize("sample", [None, 1, 9])
def test_lists_give_their_values_by_the_same_path(
    tmp_path: Path, suffix: str, sample: int | None
) -> None:
    query = """
    SELECT 1 AS id, ['p', 'q'] AS tags, [{'sku': 'x', 'sizes': [1, 2]}, {'sku': 'y', 'sizes': []}]
        AS items, [[1], [2, 3]] AS grid
    UNION ALL SELECT 2, NULL, [], NULL
    """
    with duckdb.connect() as db:
        kind = "json" if suffix == "jsonl" else suffix
        db.execute(f"COPY ({query}) TO '{tmp_path}/a.{suffix}' (FORMAT {kind})")
    connector, asset = only(tmp_path / f"a.{suffix}")
    values: dict[str, list[str]] = {column.name: [] for column in asset.columns}
    for batch in connector.read(asset, Sample(sample)):
        for column, found in zip(asset.columns, batch.columns, strict=True):
            values[column.name] += [value for value in found if value is not None]
    assert set(values) >= {"id", "tags[]", "items[].sku", "items[].sizes[]", "grid[][]"}
    if sample == 1:
        assert len(values["id"]) == 1
        return
    assert sorted(values["id"]) == ["1", "2"]
    assert values["tags[]"] == ["p", "q"]
    assert (values["items[].sku"], values["items[].sizes[]"]) == (["x", "y"], ["1", "2"])
    assert values["grid[][]"] == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.parquet", b"PAR1 cut off", "could not read a.parquet"),
        ("a.jsonl", b"not json\nat all\n", "None of the 2 lines is JSON"),
        ("a.json", b'[{"id": 1}, {"id"', "a.json"),
    ],
)
def test_a_broken_file_keeps_its_reason(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    (tmp_path / "good.csv").write_text("id\n1\n")
    listing = FilesConnector(LocalStore(str(tmp_path))).discover()
    assert listing.clean
    assert said in str({a.name: a.error for a in listing.assets}[name])
    assert {a.name: a.error for a in listing.assets}["good.csv"] is None


def test_links_out_of_the_folder_are_refused(tmp_path: Path) -> None:
    secret = write(tmp_path / "secret.csv", "id\n1\n")
    inside = tmp_path / "estate"
    inside.mkdir()
    (inside / "link.csv").symlink_to(secret)
    (inside / "folder").symlink_to(tmp_path)
    write(inside / "real.csv", "id\n1\n")
    connector = FilesConnector(LocalStore(str(inside)))
    found = {a.name: a for a in connector.discover().assets}
    assert set(found) == {"link.csv", "real.csv"}
    assert "leads out" in str(found["link.csv"].error)
    forged = Asset("../secret.csv", "file", found["real.csv"].columns, found["real.csv"].details)
    with pytest.raises(SourceFault, match="leads out"):
        list(connector.read(forged, Sample()))


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_an_endless_line_is_left_out_and_told(tmp_path: Path, name: str) -> None:
    first, cell, last = (
        (b"id,name\n1,Ada\n", b"2,", b"\n3,Cy\n") if name == "a.csv"
        else (b'{"id": 1}\n', b'{"id": "', b'"}\n{"id": 3}\n')
    )  # fmt: skip
    with (tmp_path / name).open("wb") as stream:
        stream.write(first + cell)
        for _ in range(40):
            stream.write(b"x" * (1 << 20))
        stream.write(last)
    connector, asset = only(tmp_path / name)
    batches = list(connector.read(asset, Sample()))
    assert [value for batch in batches for value in batch.columns[0]] == ["1", "3"]
    told = Counter[str]()
    for batch in batches:
        told.update(batch.irregular)
    assert told == {"lines over 16 MB, left out": 1}
    position = batches[0].position
    again = list(connector.read(asset, Sample(), position))
    assert sum(batch.rows for batch in again) == 2 - batches[0].rows


def test_a_large_file_is_sampled_from_all_its_parts(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = 400_000
    with path.open("w") as stream:
        stream.write("id,name\n")
        stream.writelines(f"{n},person number {n}\n" for n in range(rows))
    assert path.stat().st_size > 8 << 20
    _, found = table(path, sample=1000)
    numbers = [int(str(row[0])) for row in found]
    assert len(numbers) == 1000
    tenths = [sum(n * 10 // rows == tenth for n in numbers) for tenth in range(10)]
    assert min(tenths) > 50
    connector, asset = only(path)
    estimate = connector.count(asset)
    assert estimate is not None
    assert abs(estimate - rows) < rows * 0.02


def test_a_folder_that_cannot_be_listed_is_no_clean_listing(tmp_path: Path) -> None:
    connector = FilesConnector(LocalStore(str(tmp_path / "none")))
    (step,) = connector.check()
    assert (step.ok, step.next_step) == (False, "Check the path.")
    with pytest.raises(SourceFault, match="There is no file or folder"):
        connector.discover()


def test_gzip_is_read_like_the_file_in_it(tmp_path: Path) -> None:
    text = "id,name\n" + "".join(f"{n},person {n}\n" for n in range(5000))
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(text.encode()))
    names, rows = table(tmp_path / "a.csv.gz")
    assert (names, len(rows), rows[-1]) == (["id", "name"], 5000, ("4999", "person 4999"))
    assert len(table(tmp_path / "a.csv.gz", sample=100)[1]) == 100
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(b'{"id": 1}\n{"id": 2}\n'))
    assert table(tmp_path / "b.jsonl.gz") == (["id"], [("1",), ("2",)])


def test_a_gzip_file_that_was_cut_off_keeps_its_reason(tmp_path: Path) -> None:
    whole = gzip.compress(b"id,name\n" + bytes(range(256)) * 4000)
    (tmp_path / "a.csv.gz").write_bytes(whole[: len(whole) // 2])
    connector, asset = only(tmp_path / "a.csv.gz")
    with pytest.raises(SourceFault, match="is not a whole gzip file"):
        list(connector.read(asset, Sample()))


def test_a_decompression_bomb_is_stopped(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    with gzip.open(path, "wb", compresslevel=9) as stream:
        stream.write(b"id,name\n")
        line = b"1," + b"0" * 1021 + b"\n"
        for _ in range(300):
            stream.write(line * 1024)
    connector, asset = only(path)
    with pytest.raises(SourceFault, match="times its size"):
        list(connector.read(asset, Sample()))


def test_a_duckdb_file_is_read_while_another_connection_of_the_process_reads_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(str(path)) as db:
        db.execute("CREATE TABLE t AS SELECT 1 AS id")
        db.execute(f"CREATE VIEW outside AS SELECT * FROM read_text('{__file__}')")
    one, other = DuckdbConnector(str(path)), DuckdbConnector(str(path))
    try:
        for connector in (one, other):
            table, view = sorted(connector.discover().assets, key=lambda asset: asset.kind)
            assert connector.count(table) == 1
            with pytest.raises(SourceFault, match="disabled"):
                connector.count(view)
    finally:
        one.close()
        other.close()
