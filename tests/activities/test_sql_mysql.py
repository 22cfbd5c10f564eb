"""What sql_task does on MySQL and MariaDB alone: values as literals, and what commits by itself."""

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from activities.connectors.boundary import Boundary
from activities.statements.mysql import literal
from activities.statements.opening import begin
from activities.statements.protocol import Session
from models.session import Database
from racine import statements
from racine.errors import InvalidInput
from racine.governance.data_sources import locations
from tests.activities.tasks import bench
from tests.activities.test_sql import Sql, _mysql
from tests.mariadb import MariaDb

HOSTILE = [
    "'", '"', "`", "\\", "\\'", "' OR 1 = 1 -- ", "\\' OR 1 = 1 -- ", "\\\\' OR 1=1#", "\x00'",
    "¿' OR 1=1 -- ", "\u00bf\u005c' OR 1 = 1 -- ", "縗' OR 1=1 -- ", "'; DROP TABLE orders; -- ",
    "*/ OR 1=1 /*", "/*! OR 1=1 */", "0x27", "X'27'", "_utf8mb4 0x27", ":email", "%s %(email)s", "",
    " ", "\n", "\x1a", "😀'", "a" * 100_000 + "'", "{{ params.x }}", "null", "\ufeff'", "ﬀ'",
]  # fmt: skip


TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=50)
NUMBERS = st.one_of(st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False))


@pytest.fixture
def shop(sqlite_db: Database, mariadb_db: str) -> Iterator[Sql]:
    with bench(sqlite_db) as made:
        made.source("mysql", _mysql(mariadb_db))
        yield Sql(made)


@pytest.fixture
def session(mariadb_db: str) -> Iterator[Session]:
    """A reading session; the server's own mode is what a test makes of it."""
    _mysql(mariadb_db)
    with closing(_begun(mariadb_db)) as opened:
        yield opened


def _begun(url: str) -> Session:
    return begin(locations.parse(url), Boundary(), write=False, seconds=60)


def rows(session: Session, text: str, value: Any) -> list[Any]:
    answer = session.run(statements.parse(text, "mysql"), {"value": value})
    return [row for batch in answer.batches for row in batch]


def echoed(session: Session, value: Any) -> Any:
    """Return what the server makes of a value, having seen one row of two columns."""
    ((first, again),) = rows(session, "SELECT :value, :value", value)
    assert first == again
    return first


@pytest.mark.parametrize("mode", ["", "ANSI_QUOTES", "NO_BACKSLASH_ESCAPES", "ANSI,ORACLE"])
def test_hostile_texts_are_texts_in_every_mode_of_the_server(
    mariadb_server: MariaDb, mariadb_db: str, mode: str
) -> None:
    _mysql(mariadb_db)
    with mariadb_server.connect() as db, db.cursor() as cursor:
        cursor.execute("SELECT @@GLOBAL.sql_mode")
        (before,) = cursor.fetchone() or ("",)
        cursor.execute("SET GLOBAL sql_mode = %s", (mode,))
        try:
            with closing(_begun(mariadb_db)) as session:
                for value in HOSTILE:
                    assert echoed(session, value) == value
                    found = "SELECT id FROM orders WHERE email = :value"
                    assert rows(session, found, value) == []
                assert len(rows(session, "SELECT id FROM orders WHERE :value", 1)) == 7
        finally:
            cursor.execute("SET GLOBAL sql_mode = %s", (before,))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(TEXTS)
def test_any_text_comes_back_as_it_went(session: Session, value: str) -> None:
    assert echoed(session, value) == value


@given(st.one_of(st.none(), NUMBERS, TEXTS))
def test_no_value_brings_a_quote_a_backslash_or_a_comment(value: Any) -> None:
    made = literal("x", value)
    assert made == "''" or not set("'\"`\\;#*/") & set(made)
    assert "--" not in made
    assert made.isascii()


def test_values_keep_their_kind(session: Session) -> None:
    for value in (0, -1, 2**63 - 1, -(2**63), 1.5, -2.25, 1e-07, 1e300, True, None):
        assert echoed(session, value) == value


def test_a_list_is_bound_as_its_json(shop: Sql) -> None:
    found = shop.run("SELECT :value AS value", parameters={"value": [1, "'\\"]})
    ((text,),) = shop.bench.items(found.values["result"])
    assert json.loads(text) == [1, "'\\"]


def test_what_is_no_value_of_sql_is_refused_by_its_name() -> None:
    for value in (float("inf"), float("nan"), "\ud800"):
        with pytest.raises(InvalidInput, match="'who'"):
            literal("who", value)


def test_texts_meet_dates_patterns_and_other_character_sets(shop: Sql) -> None:
    shop.run("CREATE TABLE days (day DATE, name VARCHAR(20) CHARACTER SET latin1)", write=True)
    put = "INSERT INTO days VALUES (:day, :name)"
    given = {"day": "2026-02-28", "name": "Zoë"}
    assert shop.run(put, write=True, parameters=given).values == {"affected": 1}
    asked = "SELECT name FROM days WHERE day > :day AND name LIKE :name LIMIT :most"
    found = shop.run(asked, parameters={"day": "2026-02-27", "name": "Zo_", "most": 1})
    assert shop.bench.items(found.values["result"]) == [["Zoë"]]


def test_what_commits_by_itself_stands_alone(shop: Sql) -> None:
    insert = "INSERT INTO orders VALUES (8, 'x', 1)"
    for text in ("CREATE TABLE other (id INT)", "TRUNCATE orders", "CALL gone()"):
        code, message, way_out = shop.fails([insert, text], write=True)
        assert (code, "would commit" in message) == ("invalid_input", True)
        assert "sql_task of its own" in way_out
    assert shop.run("SELECT id FROM orders").values["rows"] == 7
    shop.run("CREATE TABLE other (id INT)", write=True)
    assert shop.run("SELECT id FROM other").values["rows"] == 0


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1 /*! INTO OUTFILE '/tmp/x' */",
        "/*!50000 DELETE */ SELECT 1",
        "SELECT 1 /*M!100100 + 1 */",
        "SELECT email INTO OUTFILE '/tmp/x' FROM orders",
        "SELECT email FROM orders INTO\n/* c */ DumpFile '/tmp/x'",
    ],
)
def test_nothing_runs_that_the_parser_does_not_see(shop: Sql, text: str) -> None:
    assert shop.fails(text, write=True)[0] == "invalid_input"


def test_errors_name_the_place_and_no_value(shop: Sql) -> None:
    canary = {"parameters": {"x": "canary"}}
    digits = b"canary".hex()
    said = [
        shop.fails("SELECT FROM WHERE :x", **canary),
        shop.fails("INSERT INTO orders VALUES (:x, :x, 1)", write=True, **canary),
        shop.fails("INSERT INTO orders VALUES (1, :x, 1)", write=True, **canary),
        shop.fails("SELECT nothing FROM orders WHERE email = :x", **canary),
    ]
    assert all("canary" not in str(s) and digits not in str(s) for s in said)
    assert "at line 1" in said[0][1]
    assert "PRIMARY" in said[2][1]
    assert "Unknown column 'nothing'" in said[3][1]


def test_mysql_s_own_writing_passes_before_a_source_is_known() -> None:
    for text in (r"SELECT 'it\'s', :x", "SELECT `a b` FROM t WHERE c = :x", "SELECT 1 # :y\n, :x"):
        assert "x" in statements.read(text).names
    with pytest.raises(InvalidInput, match="several statements"):
        statements.read("SELECT 1; SELECT 2")
