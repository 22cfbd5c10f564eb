"""sql_task on real databases of every dialect."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import duckdb
import psycopg
import pymysql
import pytest
from temporalio.exceptions import CancelledError
from temporalio.testing import ActivityEnvironment

from activities.sql import SqlTasks
from models.messages import RunContext, TaskCall, TaskOutput
from models.session import Database
from models.stores import sources
from racine.governance.rbac.decision import SYSTEM_ID
from tests.activities.tasks import Bench, bench

ROWS = [(n, f"ada{n}@example.org", n * 1.5 if n % 2 else None) for n in range(1, 8)]
CREATE = "CREATE TABLE orders (id INTEGER PRIMARY KEY, email VARCHAR(100), total DOUBLE PRECISION)"
SLOW = {
    "sqlite": "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t)"
    " SELECT max(n) FROM t",
    "duckdb": "SELECT count(*) FROM range(1000000000000) AS a, range(1000000) AS b"
    " WHERE a.range <> b.range",
    "postgresql": "SELECT pg_sleep(600)",
    "mysql": "SELECT sleep(600)",
}


@pytest.fixture
def tasks(sqlite_db: Database) -> Iterator["Sql"]:
    with bench(sqlite_db) as made:
        yield Sql(made)


class Sql:
    def __init__(self, made: Bench) -> None:
        self.bench = made
        self.serve = SqlTasks(made.attempts).run

    def run(self, statement: str | list[str], outputs: Any = None, **given: Any) -> TaskOutput:
        task = {"source": "shop", "statement": statement, **given}
        return self.bench.carry_out(self.serve, task, outputs=outputs)

    def fails(self, statement: str | list[str], **given: Any) -> tuple[str, str, str]:
        """Return code, message and next step."""
        task = {"source": "shop", "statement": statement, **given}
        failure = self.bench.refused(self.serve, task)
        return failure.type or "", failure.message, failure.details[0]["next_step"]


@pytest.fixture(params=["sqlite", "duckdb", "postgresql", "mysql"])
def kind(request: pytest.FixtureRequest, tasks: Sql, tmp_path: Path) -> str:
    """The kind of a source named `shop` with seven orders, each in turn."""
    make: dict[str, Callable[[], str]] = {
        "sqlite": lambda: _sqlite(tmp_path / "shop.db"),
        "duckdb": lambda: _duckdb(tmp_path / "shop.duckdb"),
        "postgresql": lambda: _postgresql(request.getfixturevalue("postgres_db_url")),
        "mysql": lambda: _mysql(request.getfixturevalue("mariadb_db")),
    }
    tasks.bench.source(request.param, make[request.param]())
    return str(request.param)


def _sqlite(path: Path) -> str:
    with sqlite3.connect(path) as db:
        db.execute(CREATE)
        db.executemany("INSERT INTO orders VALUES (?, ?, ?)", ROWS)
    db.close()
    return str(path)


def _duckdb(path: Path) -> str:
    with duckdb.connect(str(path)) as db:
        db.execute(CREATE)
        db.executemany("INSERT INTO orders VALUES (?, ?, ?)", ROWS)
    return str(path)


def _postgresql(url: str) -> str:
    with psycopg.connect(url.replace("+psycopg", "")) as db, db.cursor() as cursor:
        cursor.execute(CREATE)
        cursor.executemany("INSERT INTO orders VALUES (%s, %s, %s)", ROWS)
    return url


def _mysql(url: str) -> str:
    with pymysql.connect(**_place(url)) as db, db.cursor() as cursor:
        cursor.execute(CREATE)
        cursor.executemany("INSERT INTO orders VALUES (%s, %s, %s)", ROWS)
    return url


def _place(url: str) -> dict[str, Any]:
    """Return the driver's settings for a URL of the tests' server."""
    at = urlsplit(url)
    return {"host": at.hostname, "port": at.port, "user": at.username, "autocommit": True,
            "database": at.path[1:], "charset": "utf8mb4", "ssl_disabled": True}  # fmt: skip


def test_rows_come_by_reference_and_declared_columns_as_values(kind: str, tasks: Sql) -> None:
    outputs = {"type": "object", "properties": {"id": {"type": "integer"}, "email": {}}}
    found = tasks.run(
        "SELECT id, email, total FROM orders WHERE id >= :least ORDER BY id", outputs,
        parameters={"least": 6},
    )  # fmt: skip
    assert found.ref is None
    ref = found.values.pop("result")
    assert found.values == {
        "rows": 2, "columns": ["id", "email", "total"], "id": 6, "email": "ada6@example.org",
    }  # fmt: skip
    assert tasks.bench.items(ref) == [[6, "ada6@example.org", None], [7, "ada7@example.org", 10.5]]


def test_values_are_bound_and_never_part_of_the_statement(kind: str, tasks: Sql) -> None:
    hostile = "x' OR 1 = 1 --"
    counted = "SELECT count(*) AS n FROM orders WHERE email = :email AND ':email' <> :email"
    outputs: dict[str, Any] = {"properties": {"n": {}}}
    for email, wanted in ((hostile, 0), ("ada1@example.org", 1), ('"; DROP TABLE orders', 0)):
        assert tasks.run(counted, outputs, parameters={"email": email}).values["n"] == wanted
    assert tasks.run("SELECT count(*) AS n FROM orders", outputs).values["n"] == 7


def test_a_task_reads_unless_it_says_that_it_writes(kind: str, tasks: Sql) -> None:
    code, message, way_out = tasks.fails("DELETE FROM orders")
    assert (code, message) == (
        "invalid_input", "A statement that begins with DELETE may write, and the task only reads."
    )  # fmt: skip
    assert "write: true" in way_out
    assert tasks.run("DELETE FROM orders WHERE id > 5", write=True).values == {"affected": 2}
    assert tasks.run("SELECT id FROM orders").values["rows"] == 5


def test_no_trick_makes_a_reading_task_write(kind: str, tasks: Sql) -> None:
    tricks = {
        "postgresql": "WITH gone AS (DELETE FROM orders RETURNING id) SELECT * FROM gone",
        "sqlite": "WITH t AS (SELECT 1) DELETE FROM orders",
        "duckdb": "WITH t AS (SELECT 1) DELETE FROM orders",
        "mysql": "SELECT gone()",
    }
    if kind == "mysql":
        _make_gone(tasks)
    assert tasks.fails(tricks[kind])[0] == "source_fault"
    wanted = "SELECT set_config('transaction_read_only', 'off', false)"
    if kind == "postgresql":
        assert tasks.fails([wanted, tricks[kind]])[0] == "source_fault"
    for text in ("COMMIT", "ATTACH 'x.db' AS x", "PRAGMA query_only = 0", "SET x = 1"):
        assert "cannot begin with" in tasks.fails(text, write=True)[1]
    assert tasks.run("SELECT id FROM orders").values["rows"] == 7


def _make_gone(tasks: Sql) -> None:
    """Make a function that deletes, for a query to call."""
    with pymysql.connect(**_place(_source(tasks).location)) as db, db.cursor() as cursor:
        cursor.execute("CREATE FUNCTION gone() RETURNS INT BEGIN DELETE FROM orders; RETURN 1; END")


def _source(tasks: Sql) -> sources.Source:
    with tasks.bench.db.read() as session:
        found = sources.named(session, "ws_1", "shop")
    assert found is not None
    return found


def test_statements_of_a_task_are_one_transaction(kind: str, tasks: Sql) -> None:
    insert = "INSERT INTO orders VALUES (:id, :email, 1)"
    given = {"parameters": {"id": 8, "email": "new@example.org"}, "write": True}
    assert tasks.fails([insert, insert], **given)[0] == "source_fault"
    assert tasks.run("SELECT id FROM orders").values["rows"] == 7
    done = tasks.run([insert, "SELECT id FROM orders WHERE id = :id"], **given)
    assert (done.values["affected"], done.values["rows"]) == (1, 1)
    assert tasks.run("SELECT id FROM orders").values["rows"] == 8


def test_an_error_says_what_is_wrong_and_repeats_no_value(kind: str, tasks: Sql) -> None:
    assert "nothing" in tasks.fails("SELECT id FROM nothing")[1]
    duplicate = "INSERT INTO orders VALUES (:id, :email, 1)"
    said = tasks.fails(duplicate, parameters={"id": 1, "email": "canary@example.org"}, write=True)
    assert "canary" not in str(said)
    cast = "SELECT CAST(email AS INTEGER) / 0 FROM orders WHERE CAST(email AS INTEGER) = 1"
    if kind not in ("sqlite", "mysql"):  # they take any text for a number
        assert "ada" not in str(tasks.fails(cast))


def test_an_answer_without_rows_still_has_its_columns(kind: str, tasks: Sql) -> None:
    found = tasks.run("SELECT id, email FROM orders WHERE id < 0", {"properties": {"id": {}}})
    assert tasks.bench.items(found.values.pop("result")) == []
    assert found.values == {"rows": 0, "columns": ["id", "email"]}


def test_a_common_table_may_feed_a_write(kind: str, tasks: Sql) -> None:
    big, put = "WITH big AS (SELECT id FROM orders)", "INSERT INTO orders"
    begin = f"{put} {big}" if kind == "mysql" else f"{big} {put}"
    text = f"{begin} SELECT id + 10, 'x', 1 FROM big WHERE id < :top"
    assert tasks.run(text, write=True, parameters={"top": 100}).values == {"affected": 7}
    assert tasks.run("SELECT id FROM orders").values["rows"] == 14


def test_a_missing_value_and_several_statements_are_refused(kind: str, tasks: Sql) -> None:
    assert "reads :who, which has no value" in tasks.fails("SELECT :who")[1]
    assert "several statements" in tasks.fails("SELECT 1; SELECT 2")[1]
    assert tasks.run("SELECT 1;").values["rows"] == 1


def test_too_many_rows_are_a_clear_error(kind: str, tasks: Sql) -> None:
    code, message, way_out = tasks.fails("SELECT id FROM orders", max_rows=6)
    assert (code, message) == ("invalid_input", "The statement gives more than 6 rows.")
    assert "max_rows" in way_out
    assert tasks.run("SELECT id FROM orders", max_rows=7).values["rows"] == 7


def test_a_statement_ends_in_its_time(kind: str, tasks: Sql) -> None:
    began = time.monotonic()
    said = tasks.fails(SLOW[kind], timeout_seconds=0.5)
    assert time.monotonic() - began < 60
    assert ("broken off" in said[1]) or ("ran out of time" in said[1])


def test_cancelling_the_task_stops_the_query_at_the_source(kind: str, tasks: Sql) -> None:
    environment = ActivityEnvironment()
    context = RunContext(run_id="run_1", workspace_id="ws_1", actor=SYSTEM_ID)
    given = {"source": "shop", "statement": SLOW[kind]}
    call = TaskCall(context=context, task_key="task", input=given)
    ended: list[BaseException] = []

    def attempt() -> None:
        try:
            environment.run(tasks.serve, call)
        except BaseException as end:
            ended.append(end)

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(1)
    assert thread.is_alive()
    environment.cancel()
    thread.join(60)
    assert [type(end) for end in ended] == [CancelledError]
    deadline = time.monotonic() + 30
    while _running(kind, _source(tasks).location):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _running(kind: str, url: str) -> int:
    """Count the slow queries that a server still works on; engines in this process have none."""
    if kind == "postgresql":
        with psycopg.connect(url.replace("+psycopg", "")) as db:
            found = db.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'"
            ).fetchone()
    elif kind == "mysql":
        with pymysql.connect(**_place(url)) as mysql, mysql.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM information_schema.processlist WHERE info LIKE %s",
                ("SELECT sleep%",),
            )
            found = cursor.fetchone()
    else:
        return 0
    assert found is not None
    return int(found[0])


def test_many_rows_are_kept_in_pages(tasks: Sql, tmp_path: Path) -> None:
    tasks.bench.source("sqlite", _sqlite(tmp_path / "shop.db"))
    numbers = (
        "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 60000)"
        " SELECT n, printf('%050d', n) FROM t"
    )
    found = tasks.run(numbers)
    rows = tasks.bench.items(found.values["result"])
    assert (len(rows), rows[0][0], rows[-1][0]) == (60_000, 1, 60_000)


def test_only_who_may_use_the_source_runs_statements(tasks: Sql, tmp_path: Path) -> None:
    tasks.bench.source("sqlite", _sqlite(tmp_path / "shop.db"))
    task = {"source": "shop", "statement": "SELECT 1"}
    refused = tasks.bench.refused(tasks.serve, task, actor="usr_nobody")
    assert refused.type == "forbidden"


def test_a_source_that_runs_no_statements_says_so(tasks: Sql, tmp_path: Path) -> None:
    tasks.bench.source("files", str(tmp_path))
    assert "runs no SQL statements" in tasks.fails("SELECT 1")[1]
    missing = tasks.bench.refused(tasks.serve, {"source": "none", "statement": "SELECT 1"})
    assert missing.type == "not_found"
