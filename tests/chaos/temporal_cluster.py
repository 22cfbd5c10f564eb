"""A Temporal server on PostgreSQL, from its own source: what a cluster runs, without containers."""

import os
import random
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from local.stack.process import dies_with_parent
from tests.local.stack import ROOT

_VERSION = "1.31.2"
"""The server inside the pinned CLI."""
_MODULE = f"go.temporal.io/server@v{_VERSION}"
_COMMANDS = ("cmd/server", "cmd/tools/sql")
_BUILD_SECONDS = 900
_DATABASES = {"temporal": "temporal", "temporal_visibility": "visibility"}
_PORTS = ("FRONTEND_GRPC_PORT", "HISTORY_GRPC_PORT", "MATCHING_GRPC_PORT", "WORKER_GRPC_PORT",
          "FRONTEND_MEMBERSHIP_PORT", "HISTORY_MEMBERSHIP_PORT", "MATCHING_MEMBERSHIP_PORT",
          "WORKER_MEMBERSHIP_PORT", "FRONTEND_HTTP_PORT")  # fmt: skip


@contextmanager
def temporal_on_postgres(postgres_url: str, folder: Path) -> Iterator[str]:
    """Run a server whose databases lie beside the one of the URL; yield its address."""
    home, place = _binaries(), urlsplit(postgres_url)
    for database, schema in _DATABASES.items():
        _make_schema(home, place.port or 5432, database, schema, folder)
    ports = {name: str(_low_port()) for name in _PORTS}
    environment = os.environ | ports | {
        "DB": "postgres12",
        "DB_PORT": str(place.port),
        "POSTGRES_SEEDS": "127.0.0.1",
        "POSTGRES_USER": "racine",
        "POSTGRES_PWD": "unused",
        "DBNAME": "temporal",
        "VISIBILITY_DBNAME": "temporal_visibility",
        "NUM_HISTORY_SHARDS": "4",
        "BIND_ON_IP": "127.0.0.1",
        "DYNAMIC_CONFIG_FILE_PATH": str(ROOT / "tools/temporal/cluster.yaml"),
    }  # fmt: skip
    with (folder / "temporal.log").open("w") as log:
        server = subprocess.Popen(
            [home / "server", "--allow-no-auth", "start"],
            env=environment, cwd=folder, stdout=log, stderr=subprocess.STDOUT,
            preexec_fn=dies_with_parent(),
        )  # fmt: skip
    try:
        yield f"127.0.0.1:{ports['FRONTEND_GRPC_PORT']}"
    finally:
        server.terminate()
        server.wait(30)


def _low_port() -> int:
    """Return a free port that fits PostgreSQL's smallint: there the server keeps its own."""
    while True:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", random.randrange(15_000, 32_000)))
            return int(probe.getsockname()[1])


def _binaries() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    home = Path(cache) / "racine" / "temporal-server" / _VERSION
    for command in _COMMANDS:
        if not (home / command.rsplit("/", 1)[1]).exists():
            subprocess.run(
                ["go", "install", f"go.temporal.io/server/{command}@v{_VERSION}"],
                env=os.environ | {"GOBIN": str(home), "CGO_ENABLED": "0", "GOTOOLCHAIN": "local"},
                check=True, timeout=_BUILD_SECONDS,
            )  # fmt: skip
    return home


def _make_schema(home: Path, port: int, database: str, schema: str, folder: Path) -> None:
    tool = [str(home / "sql"), "--plugin", "postgres12", "--ep", "127.0.0.1", "-p", str(port),
            "-u", "racine", "--pw", "unused", "--db", database]  # fmt: skip
    versions = str(_schema_without_btree_gin(schema, folder))
    for order in (
        ["create-database"],
        ["setup-schema", "-v", "0.0"],
        ["update-schema", "--schema-dir", versions],
    ):
        subprocess.run([*tool, *order], check=True, capture_output=True, timeout=60)


def _schema_without_btree_gin(schema: str, folder: Path) -> Path:
    """Copy the schema's versions, without the one extension that the tests' PostgreSQL lacks.

    Only indexes of the visibility tables use it; without it they leave `namespace_id` out.
    """
    module = subprocess.run(
        ["go", "mod", "download", "-json", _MODULE],
        check=True, capture_output=True, text=True, timeout=120, cwd=folder,
    ).stdout  # fmt: skip
    found = re.search(r'"Dir": "(.+)"', module)
    assert found is not None
    copy = folder / schema
    source = Path(found[1]) / "schema/postgresql/v12" / schema / "versioned"
    shutil.copytree(source, copy, copy_function=shutil.copyfile)
    for path in copy.rglob("*.sql"):
        text = path.read_text().replace("CREATE EXTENSION btree_gin;", "NULL;")
        path.write_text(re.sub(r"USING GIN \(namespace_id, ", "USING GIN (", text))
    return copy
