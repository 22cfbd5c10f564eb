"""What every connector does, on the same tables."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from activities.connectors.boundary import Boundary
from activities.connectors.opening import connect
from activities.connectors.protocol import (
    Asset,
    Bound,
    Connector,
    Incremental,
    Position,
    Sample,
)
from activities.reading import read_asset, table_evidence
from racine.governance.classifications.engine import ClassifySettings, decide
from racine.governance.data_sources import locations
from racine.governance.scan_rule_sets.patterns import qualified
from racine.governance.scan_rule_sets.rules import Rules
from tests.activities.connectors import estates


@dataclass
class Estate:
    connector: Connector
    suffix: str
    location: str
    kind: str

    @property
    def is_database(self) -> bool:
        return not self.suffix

    def asset(self, name: str) -> Asset:
        return next(a for a in self.connector.discover().assets if a.name == self.named(name))

    def named(self, table: str) -> str:
        if self.kind in ("postgresql", "mysql"):
            database = locations.parse(self.location).database
            return qualified("public" if self.kind == "postgresql" else database, table)
        return f"{table}{self.suffix}"


@pytest.fixture(scope="module", params=list(estates.ESTATES))
def estate(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Estate]:
    kind, build, suffix, fixture = estates.ESTATES[request.param]
    given = request.getfixturevalue(fixture) if fixture else ""
    location = build(tmp_path_factory.mktemp(kind), given)
    connector = connect(locations.parse(location, kind), Boundary())
    yield Estate(connector, suffix, location, kind)
    connector.close()


def read(
    estate: Estate, asset: Asset, sample: int | None = None, after: Position | None = None
) -> list[tuple[str | None, ...]]:
    found: list[tuple[str | None, ...]] = []
    for batch in estate.connector.read(asset, Sample(sample), after):
        rows = list(zip(*batch.columns, strict=True))
        assert len(rows) == batch.rows
        found += rows
    return found


def blanked(rows: list[tuple[str | None, ...]]) -> list[tuple[str | None, ...]]:
    """Return rows with the blank text that a CSV file writes for a null as a null."""
    return [tuple(None if value == "" else value for value in row) for row in rows]


def test_a_connection_test_goes_to_its_last_step(estate: Estate) -> None:
    steps = list(estate.connector.check())
    assert all(step.ok for step in steps)
    assert steps[-1].step == "read"


def test_every_asset_is_listed_under_its_legal_name(estate: Estate) -> None:
    listing = estate.connector.discover()
    assert listing.clean
    assert {a.name for a in listing.assets} >= {estate.named(name) for name in estates.NAMES}
    assert not [a.error for a in listing.assets if a.error]


def test_columns_keep_their_names_and_order(estate: Estate) -> None:
    for name in estates.NAMES:
        assert tuple(c.name for c in estate.asset(name).columns) == estates.COLUMNS


def test_a_full_read_gives_every_row_as_text(estate: Estate) -> None:
    assert sorted(blanked(read(estate, estate.asset("people")))) == sorted(estates.cells())


def test_tables_of_any_legal_name_are_read(estate: Estate) -> None:
    for name in estates.NAMES[1:]:
        assert sorted(blanked(read(estate, estate.asset(name)))) == sorted(estates.cells(3))


def test_a_read_goes_on_where_another_one_ended(estate: Estate) -> None:
    asset = estate.asset("people")
    whole = list(estate.connector.read(asset, Sample()))
    position = whole[0].position
    if estate.suffix.endswith(".json"):
        assert position is None, "a document can only be read as a whole"
        return
    assert position is not None
    rest = read(estate, asset, after=position)
    assert len(rest) == estates.ROWS - whole[0].rows
    assert not set(rest) & set(zip(*whole[0].columns, strict=True))


def test_a_sample_comes_from_the_whole_table(estate: Estate) -> None:
    rows = read(estate, estate.asset("people"), sample=300)
    numbers = [int(row[0] or 0) for row in rows]
    assert 150 <= len(set(numbers)) == len(numbers) <= 450
    thirds = [sum(low < n <= low + 1000 for n in numbers) for low in (0, 1000, 2000)]
    assert min(thirds) >= 20


def test_a_sample_larger_than_the_table_is_the_table(estate: Estate) -> None:
    assert len(read(estate, estate.asset("people"), sample=5000)) == estates.ROWS


def test_reading_changes_nothing(estate: Estate) -> None:
    path = Path(estate.location)
    if estate.kind in ("postgresql", "mysql", "s3"):
        before = estate.connector.count(estate.asset("people"))
        read(estate, estate.asset("people"))
        assert estate.connector.count(estate.asset("people")) == before
        return
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    before_files = {f: hashlib.sha256(f.read_bytes()).hexdigest() for f in files}
    read(estate, estate.asset("people"))
    after = sorted(path.rglob("*")) if path.is_dir() else [path]
    assert {f: hashlib.sha256(f.read_bytes()).hexdigest() for f in after} == before_files


def test_an_empty_table_and_a_view_are_read(estate: Estate) -> None:
    if estate.is_database:
        assert read(estate, estate.asset("hollow")) == []
        assert len(read(estate, estate.asset("old"))) == 9
        assert estate.asset("old").kind == "view"


def test_binary_values_are_not_given(estate: Estate) -> None:
    if estate.is_database:
        assert read(estate, estate.asset("pictures")) == [("1", None)]


@pytest.mark.parametrize("sample", ["all", 300])
def test_the_same_data_is_classified_alike(estate: Estate, sample: Literal["all"] | int) -> None:
    asset = estate.asset("clients")
    facts = read_asset(estate.connector, asset, Rules(sample=sample))
    assert facts.rows in (400, None) if sample != "all" else facts.rows == 400
    verdicts = decide(table_evidence(asset, facts), ClassifySettings())
    found = {
        column.name: next((c.kind for c in verdict.classifications), None)
        for column, verdict in zip(asset.columns, verdicts, strict=True)
    }
    assert found == estates.KINDS


def test_a_profile_counts_the_same_everywhere(estate: Estate) -> None:
    facts = read_asset(estate.connector, estate.asset("clients"), Rules(sample="all"))
    lengths = [profile["length"] for profile in facts.profiles]
    assert [p["distinct"] for p in facts.profiles] == DISTINCT
    assert [(p["values"], p["nulls"]) for p in facts.profiles] == [(400, 0)] * 8
    assert lengths[3]["min"] == lengths[3]["max"] == 22


DISTINCT = [len({row[n] for row in estates.clients()}) for n in range(len(estates.CLIENTS))]


def test_an_asset_tells_whether_it_changed(estate: Estate) -> None:
    first, again = estate.asset("clients"), estate.asset("clients")
    assert (first.fingerprint, first.schema) == (again.fingerprint, again.schema)
    assert first.fingerprint or estate.kind == "mysql", "only a fresh change may be untold"


def test_only_rows_beyond_a_bound_are_read(estate: Estate) -> None:
    connector = estate.connector
    assert isinstance(connector, Incremental) == estate.is_database
    if not isinstance(connector, Incremental):
        return
    people, clients = estate.asset("people"), estate.asset("clients")
    assert connector.newest(people, "id") == str(estates.ROWS)
    assert connector.newest(estate.asset("hollow"), "id") is None
    bound = Bound("id", str(estates.ROWS - 100))
    assert sorted(beyond(connector, people, bound)) == sorted(estates.cells()[-100:])
    assert beyond(connector, people, Bound("id", str(estates.ROWS))) == []
    days = [row[5] for row in estates.clients()]
    assert connector.newest(clients, "born") == max(days)
    middle = sorted(days)[200]
    found = beyond(connector, clients, Bound("born", middle))
    assert sorted(str(row[5]) for row in found) == sorted(day for day in days if day > middle)


def test_a_sample_beyond_a_bound_comes_from_all_of_it(estate: Estate) -> None:
    connector = estate.connector
    if isinstance(connector, Incremental):
        rows = beyond(connector, estate.asset("people"), Bound("id", "1000"), 200)
        numbers = {int(row[0] or 0) for row in rows}
        assert len(rows) == len(numbers) == 200
        assert min(numbers) > 1000
        assert sum(n > 2000 for n in numbers) >= 50
        assert sum(n <= 2000 for n in numbers) >= 50


def test_a_bound_is_no_statement(estate: Estate) -> None:
    connector = estate.connector
    if isinstance(connector, Incremental):
        asset = estate.asset('quo"te')
        for column in ('quo"te', "größe/1", "e mail"):
            bound = Bound(column, "zz' OR '1'='1")
            assert beyond(connector, asset, bound) == [], "nothing is greater than that text"


def beyond(
    connector: Incremental, asset: Asset, bound: Bound, sample: int | None = None
) -> list[tuple[str | None, ...]]:
    return [
        row
        for batch in connector.read_since(asset, bound, Sample(sample))
        for row in zip(*batch.columns, strict=True)
    ]
