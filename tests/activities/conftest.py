import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.session import Database
from tests.activities.governing import Governing
from tests.mariadb import MariaDb


@pytest.fixture
def governing(db: Database, tmp_path: Path) -> Governing:
    """A source of one workspace, on each database engine in turn."""
    return Governing(db, tmp_path / "shop.db")


@pytest.fixture
def mariadb_db(mariadb_server: MariaDb) -> Iterator[str]:
    """The URL of a new, empty MariaDB database."""
    name = f"t{uuid.uuid4().hex}"
    with mariadb_server.connect() as db, db.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    yield mariadb_server.url(name)
    with mariadb_server.connect() as db, db.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name}")
