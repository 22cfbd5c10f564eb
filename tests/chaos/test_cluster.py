"""The processes of docker-compose.yml with its environment, over PostgreSQL and Temporal on it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import yaml
from sqlalchemy import create_engine

from local.demo.runs import sign_in
from local.stack.process import dies_with_parent
from services.bootstrap import ADMIN_EMAIL
from tests.chaos.big_source import Index, has_completed, make_big_source, start
from tests.chaos.temporal_cluster import temporal_on_postgres
from tests.eventually import eventually
from tests.local.stack import ROOT, command
from tests.postgres import free_port, postgres

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

_PASSWORD = "a password for this test alone"


@dataclass
class Cluster:
    """Processes of our own over the two servers; each is started as compose starts it."""

    environment: dict[str, str]
    folder: Path
    held: ExitStack

    def run(self, service: str, port: int = 8000) -> subprocess.Popen[bytes]:
        log = self.held.enter_context((self.folder / f"{service}.log").open("ab"))
        process = subprocess.Popen(
            _command(service, port), env=os.environ | self.environment, cwd=ROOT,
            stdout=log, stderr=subprocess.STDOUT, preexec_fn=dies_with_parent(),
        )  # fmt: skip
        self.held.callback(_stop, process)
        return process


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("cluster")
    with ExitStack() as held:
        server = held.enter_context(postgres())
        admin = create_engine(server, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.exec_driver_sql("CREATE DATABASE racine")
        admin.dispose()
        environment = _compose("api")["environment"] | {
            "RACINE_DATABASE_URL": server.replace("/postgres", "/racine"),
            "RACINE_TEMPORAL_ADDRESS": held.enter_context(temporal_on_postgres(server, folder)),
            "RACINE_SECRET_KEY": "0123456789abcdef" * 4,
            "RACINE_ADMIN_PASSWORD": _PASSWORD,
            "RACINE_DATA_DIR": str(folder / "data"),
        }
        cluster = Cluster(environment, folder, held)
        eventually(lambda: cluster.run("migrate").wait(100) == 0, "the migrate job succeeds")
        yield cluster


def test_a_run_completes_and_a_killed_worker_is_survived(cluster: Cluster, tmp_path: Path) -> None:
    port = free_port()
    cluster.run("api", port)
    cluster.run("workflows")
    activities = cluster.run("activities")
    url = f"http://127.0.0.1:{port}"
    eventually(lambda: _is_ready(url), "the API is ready")
    api = sign_in(url, ADMIN_EMAIL, _PASSWORD)
    make_big_source(tmp_path / "big.db")
    index = Index(cluster.environment["RACINE_DATABASE_URL"])

    undisturbed = start(api, tmp_path / "big.db")
    eventually(lambda: has_completed(api, undisturbed), "a run completes", 120)
    disturbed = start(api, tmp_path / "big.db")
    eventually(lambda: index.scanned(disturbed) >= 2, "two assets are scanned", 120)
    activities.kill()
    cluster.run("activities")
    eventually(lambda: has_completed(api, disturbed), "the run completes", 200)

    assert index.attempts(disturbed, "scan") == 2
    assert index.found(disturbed) == index.found(undisturbed)
    index.close()
    api.close()


def test_migrating_again_changes_nothing(cluster: Cluster) -> None:
    told = subprocess.run(
        command("migrate"), env=os.environ | cluster.environment, capture_output=True, text=True,
        timeout=60,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    assert "is already at" in told.stdout


def _compose(service: str) -> dict[str, dict[str, str]]:
    document = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    found: dict[str, dict[str, str]] = document["services"][service]
    return found


def _command(service: str, port: int) -> list[str]:
    """Return what compose runs for the service, with this interpreter and port."""
    words = {"python": [sys.executable], "0.0.0.0": ["127.0.0.1"], "8000": [str(port)]}
    return [part for word in _compose(service)["command"] for part in words.get(word, [word])]


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz").is_success
    except httpx.TransportError:
        return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(40)
