"""What the API process writes about the requests it answers."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx

from models.session import Database

ROOT = Path(__file__).resolve().parent.parent.parent


def test_a_request_is_one_line_and_a_probe_none(sqlite_db: Database, tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {
        "RACINE_DATABASE_URL": sqlite_db.url,
        "RACINE_DATA_DIR": str(tmp_path / "data"),
        "RACINE_TEMPORAL_ADDRESS": "127.0.0.1:1",
        "RACINE_ADMIN_PASSWORD": "correct-horse-battery",
    }
    command = [sys.executable, "-m", "uvicorn", "--factory", "api.app:create_app", "--port"]
    log = tmp_path / "api.log"
    with log.open("w") as out:
        child = subprocess.Popen(
            [*command, str(port)], cwd=ROOT, env=environment, stdout=out, stderr=out
        )
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_alive(url)
            assert httpx.get(f"{url}/version").is_success
        finally:
            child.terminate()
            child.wait(timeout=30)
    lines = log.read_text().splitlines()
    assert len([line for line in lines if "/version" in line]) == 1
    assert not [line for line in lines if "/livez" in line]


def _wait_until_alive(url: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            if httpx.get(f"{url}/livez").is_success:
                return
        except httpx.TransportError:
            assert time.monotonic() < deadline, "the API did not start"
        time.sleep(0.05)
