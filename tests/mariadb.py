"""A MariaDB server for tests, from Debian's package, in a temporary folder."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pymysql

from tests.postgres import free_port
from tools.mariadb import mariadb_server

_USER = "nobody"


@dataclass(frozen=True)
class MariaDb:
    """A running server; `root` may do everything."""

    port: int
    process: subprocess.Popen[bytes]

    def url(self, database: str, user: str = "root") -> str:
        return f"mysql://{user}@127.0.0.1:{self.port}/{database}"

    def connect(self, database: str | None = None) -> "pymysql.Connection[pymysql.cursors.Cursor]":
        return pymysql.connect(
            host="127.0.0.1", port=self.port, user="root", database=database, autocommit=True,
            charset="utf8mb4", local_infile=False, ssl_disabled=True,
        )  # fmt: skip


@contextmanager
def mariadb(*settings: str) -> Iterator[MariaDb]:
    """Run a server as an unprivileged user, and stop it."""
    server = mariadb_server()
    user = _USER if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="racine-mariadb-"))
    if user:
        os.chown(folder, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
    port = free_port()
    try:
        _install(server, folder, user)
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [
                    server, "--no-defaults", f"--datadir={folder}/data",
                    f"--socket={folder}/s", f"--pid-file={folder}/pid", f"--port={port}",
                    "--bind-address=127.0.0.1", "--skip-name-resolve",
                    "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=64M",
                    "--skip-log-bin", f"--tmpdir={folder}", *settings,
                ],
                cwd=folder, stdout=log, stderr=log, user=user,
            )  # fmt: skip
        found = MariaDb(port, process)
        guard = _guard(process.pid, folder)
        try:
            _await(found, folder)
            yield found
        finally:
            process.kill()
            process.wait()
            guard.kill()
            guard.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _install(server: Path, folder: Path, user: str | None) -> None:
    install = shutil.which("mariadb-install-db") or str(server.with_name("mariadb-install-db"))
    done = subprocess.run(
        [
            install, "--no-defaults", f"--datadir={folder}/data", f"--tmpdir={folder}",
            "--skip-test-db", "--auth-root-authentication-method=normal",
            "--skip-name-resolve",
        ],
        cwd=folder, user=user, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def _guard(pid: int, folder: Path) -> "subprocess.Popen[bytes]":
    """Stop the server when the test run was killed."""
    script = (
        f"while kill -0 {os.getpid()} 2>/dev/null; do sleep 1; done;"
        f" kill -9 {pid} 2>/dev/null; rm -rf {folder}"
    )
    return subprocess.Popen(
        ["sh", "-c", script], start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def _await(server: MariaDb, folder: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            server.connect().close()
            return
        except pymysql.MySQLError:
            assert server.process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.05)
