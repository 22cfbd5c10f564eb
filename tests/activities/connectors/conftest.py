"""Servers that connector tests share."""

import uuid
from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, text

from tests.mariadb import MariaDb, mariadb
from tests.s3 import Gateway, gateway


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[MariaDb]:
    """An empty MariaDB server; fails, saying how to install it, where it is not."""
    with mariadb() as server:
        yield server


@pytest.fixture(scope="session")
def s3_gateway() -> Iterator[Gateway]:
    """A gateway that serves folders as buckets."""
    with gateway() as server:
        yield server


@pytest.fixture(scope="module")
def estate_db_url(postgres_url: str) -> Iterator[str]:
    name = f"estate_{uuid.uuid4().hex}"
    server = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield postgres_url.rsplit("/", 1)[0] + f"/{name}"
    with server.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    server.dispose()
