"""What every connector does, on the same tables."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from activities.connectors.boundary import Boundary
from activities.connectors.opening import connect
from activities.connectors.protocol import Asset, Connector, Position, Sample
from racine.governance.data_sources import locations
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
        schema = "public." if self.kind == "postgresql" else ""
        quoted = '"quo""te"' if table == 'quo"te' and self.kind == "postgresql" else table
        return f"{schema}{quoted}{self.suffix}"


@pytest.fixture(scope="module", params=list(estates.ESTATES))
def estate(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Estate]:
    kind, build, suffix = estates.ESTATES[request.param]
    url = ""
    if kind == "postgresql":
        url = str(request.getfixturevalue("estate_db_url"))
    location = build(tmp_path_factory.mktemp(request.param), url)
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
    if estate.kind == "postgresql":
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
