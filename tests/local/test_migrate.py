"""`racine migrate`: what it does to a database, and what it says when it cannot."""

import os
import subprocess
from pathlib import Path

import pytest

from models.schema import current, head
from models.session import Database
from tests.conftest import Temporal
from tests.local.stack import command
from tests.postgres import free_port


def test_it_brings_a_database_up_and_is_safe_to_repeat(db_url: str) -> None:
    assert f"was brought to revision {head()}" in _migrate(db_url).stdout
    assert f"is already at revision {head()}" in _migrate(db_url).stdout
    database = Database(db_url)
    assert current(database) == head()
    database.close()


def test_it_prepares_the_namespace(tmp_path: Path, temporal: Temporal) -> None:
    told = _migrate(f"sqlite:///{tmp_path}/x.db", temporal.address, namespace="made-by-migrate")
    assert told.returncode == 0, told.stderr
    assert "namespace 'made-by-migrate' is ready" in told.stdout


def test_an_unreachable_database_is_named_without_its_password(tmp_path: Path) -> None:
    told = _migrate(f"postgresql+psycopg://racine:hunter2@127.0.0.1:{free_port()}/racine")
    assert told.returncode == 1
    assert "RACINE_DATABASE_URL" in told.stderr
    assert "hunter2" not in told.stderr + told.stdout


@pytest.mark.parametrize("address", ["127.0.0.1:9", "nonsense"])
def test_an_unreachable_temporal_is_named(tmp_path: Path, address: str) -> None:
    told = _migrate(f"sqlite:///{tmp_path}/x.db", address)
    assert told.returncode == 1
    assert f"Temporal at {address} cannot be prepared" in told.stderr
    assert "Traceback" not in told.stderr


def _migrate(
    database_url: str, temporal_address: str = "", namespace: str = "default"
) -> subprocess.CompletedProcess[str]:
    environment = {"RACINE_DATABASE_URL": database_url, "RACINE_TEMPORAL_NAMESPACE": namespace}
    if temporal_address:
        environment["RACINE_TEMPORAL_ADDRESS"] = temporal_address
    return subprocess.run(
        command("migrate"), env=os.environ | environment, capture_output=True, text=True, timeout=90
    )
