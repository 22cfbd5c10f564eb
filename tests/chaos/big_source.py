"""A source whose scan takes long enough to be interrupted."""

import contextlib
import json
import sqlite3
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import create_engine, text

from local.demo.runs import JOB, register_job
from local.estate.people import person
from racine.client import Client
from racine.errors import Conflict

_TABLES, _ROWS = 40, 3_000


def make_big_source(path: Path) -> None:
    people = [person(Random(n)) for n in range(_ROWS)]
    rows = [(p.name, p.email, p.phone, p.street, p.city, p.born.isoformat()) for p in people]
    with sqlite3.connect(path) as db:
        for n in range(_TABLES):
            db.execute(
                f"CREATE TABLE people_{n:02} (name TEXT, email TEXT, phone TEXT, street TEXT, "
                "city TEXT, born TEXT)"
            )
            db.executemany(f"INSERT INTO people_{n:02} VALUES (?, ?, ?, ?, ?, ?)", rows)


def make_long_tables(path: Path, tables: int = 10, rows: int = 100_000) -> None:
    """Make tables that are read in more than one chunk each."""
    with sqlite3.connect(path) as db:
        for n in range(tables):
            db.execute(f"CREATE TABLE t{n:02} (id INTEGER PRIMARY KEY, email TEXT, score REAL)")
            db.executemany(
                f"INSERT INTO t{n:02} VALUES (?, ?, ?)",
                ((i, f"person{i % 7919}.{n}@example.org", i / 7) for i in range(rows)),
            )
    db.close()


def start(racine: Client, source: Path, **rules: Any) -> str:
    """Start the governance job over the source, saving it first if need be; return the run's id.

    Every run reads everything: what the runs before it found is not carried over.
    """
    register_job(racine)
    with contextlib.suppress(Conflict):
        racine.post(
            "/api/scan-rule-sets", {"name": "default", "rules": {"plan": {"mode": "full"}, **rules}}
        )
    given = {"name": source.stem, "kind": "sqlite", "location": str(source)}
    return racine.run(JOB, given)


def has_completed(racine: Client, run_id: str) -> bool:
    return bool(racine.run_detail(run_id)["state"] == "completed")


def _verdicts(column: str | list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return which kinds a column holds, and by which classifier; SQLite gives JSON as text."""
    verdicts = json.loads(column) if isinstance(column, str) else column
    return [(verdict["id"], verdict["kind"]) for verdict in verdicts]


class Index:
    """Reads what a run has kept, beside the API: rows, not answers, are compared."""

    def __init__(self, database_url: str) -> None:
        self._engine = create_engine(database_url)

    def scanned(self, run_id: str) -> int:
        """Return the number of the run's assets that are scanned so far."""
        return len([asset for asset in self._assets(run_id) if asset[1] == "scanned"])

    def found(self, run_id: str) -> list[tuple[Any, ...]]:
        """Return every column of the run's scan with what was decided about it."""
        rows = self._rows(
            "SELECT a.name, a.state, a.rows, c.name, c.classifications FROM scan_columns c "
            "JOIN scan_assets a ON a.id = c.asset_id JOIN scans s ON s.id = a.scan_id "
            "WHERE s.run_id = :run ORDER BY a.name, c.position",
            run_id,
        )
        return [(*row[:-1], _verdicts(row[-1])) for row in rows]

    def facts(self, run_id: str) -> list[tuple[Any, ...]]:
        """Return all that the run's scan keeps of each column."""
        return self._rows(
            "SELECT a.name, a.rows, a.rows_read, c.name, c.profile, c.evidence "
            "FROM scan_columns c JOIN scan_assets a ON a.id = c.asset_id "
            "JOIN scans s ON s.id = a.scan_id WHERE s.run_id = :run ORDER BY a.name, c.position",
            run_id,
        )

    def mid_table(self, run_id: str) -> bool:
        """Tell whether some table of the run is read in part."""
        return bool(
            self._rows(
                "SELECT p.chunks FROM scan_progress p JOIN scan_assets a ON a.id = p.asset_id "
                "JOIN scans s ON s.id = a.scan_id WHERE s.run_id = :run",
                run_id,
            )
        )

    def rows_read(self, run_id: str) -> int:
        """Return the rows that all attempts read, as far as they were kept."""
        (row,) = self._rows("SELECT settings FROM scans WHERE run_id = :run", run_id)
        return int(json.loads(row[0])["spent"]["rows"])

    def findings(self, run_id: str) -> int:
        (row,) = self._rows(
            "SELECT count(*) FROM findings f JOIN scans s ON s.source_id = f.source_id "
            "WHERE s.run_id = :run",
            run_id,
        )
        return int(row[0])

    def attempts(self, run_id: str, task: str) -> int:
        rows = self._rows(
            f"SELECT max(attempt) FROM run_events WHERE run_id = :run AND task_key = '{task}'",
            run_id,
        )
        return int(rows[0][0])

    def close(self) -> None:
        self._engine.dispose()

    def _assets(self, run_id: str) -> list[tuple[Any, ...]]:
        return self._rows(
            "SELECT a.name, a.state FROM scan_assets a JOIN scans s ON s.id = a.scan_id "
            "WHERE s.run_id = :run",
            run_id,
        )

    def _rows(self, query: str, run_id: str) -> list[tuple[Any, ...]]:
        with self._engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query), {"run": run_id})]
