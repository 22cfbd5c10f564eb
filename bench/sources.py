"""Measures what sources cost: memory of huge files, partitions, and the metadata of many tables.

Run as `uv run python -m bench.sources [memory|partitions|tables]`, by default all three. Memory is
the peak resident set of a scanning process of its own (VmHWM, as `wait4` reports it). The last line
is JSON.
"""

import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from activities.connectors.boundary import Boundary
from activities.connectors.opening import connect
from racine.governance.data_sources import locations

GIGABYTE = 1 << 30
PROGRAM = Path(__file__).resolve().parent.parent / "server.py"
_WORDS = "order arrived late please call customer about refund second item blue door".split()


def write_csv(path: Path, size: int) -> None:
    """Write a CSV file of about that many bytes: five million people to 5 GB, each with a note."""
    dice = random.Random(1)
    notes = [" ".join(dice.choices(_WORDS, k=150)) for _ in range(200)]
    with path.open("w") as stream:
        stream.write("id,email,born,note\n")
        number = 0
        while stream.tell() < size:
            stream.writelines(
                f"{n},person{n}@example.org,19{n % 90 + 10}-0{n % 9 + 1}-1{n % 10},"
                f"{n} {notes[n % 200]}\n"
                for n in range(number, number + 20_000)
            )
            number += 20_000


def write_cell(path: Path, size: int) -> None:
    """Write a CSV file of three rows, the second with one cell of that many bytes."""
    with path.open("wb") as stream:
        stream.write(b"id,name\n1,Ada\n2,")
        for _ in range(size >> 20):
            stream.write(b"x" * (1 << 20))
        stream.write(b"\n3,Cy\n")


_WATCH = """
import json, os, sys
output = os.open(sys.argv[1], os.O_WRONLY)
child = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ,
                       file_actions=[(os.POSIX_SPAWN_DUP2, output, 1)])
_, status, usage = os.wait4(child, 0)
print(json.dumps([os.waitstatus_to_exitcode(status), usage.ru_maxrss << 10]))
"""
"""Starts a program from a small process: one that is started takes over its starter's peak."""


def scanned(target: str) -> tuple[dict[str, Any], int, float]:
    """Scan in a process; return its report, its peak memory in bytes, and the seconds it took."""
    began = time.monotonic()
    command = [sys.executable, str(PROGRAM), "scan", target, "--output", "json"]
    with tempfile.NamedTemporaryFile() as output:
        done = subprocess.run(
            [sys.executable, "-c", _WATCH, output.name, *command],
            stdout=subprocess.PIPE,
            check=True,
        )
        code, peak = json.loads(done.stdout)
        told = output.read()
    if code:
        raise RuntimeError(f"The scan of {target} ended with {code}.")
    return json.loads(told), peak, time.monotonic() - began


def memory(folder: Path, size: int = 5 * GIGABYTE, cell: int = GIGABYTE) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, write, bytes_ in (("csv", write_csv, size), ("cell", write_cell, cell)):
        path = folder / f"{name}.csv"
        write(path, bytes_)
        report, peak, seconds = scanned(str(path))
        path.unlink()
        found[f"{name}_bytes"] = bytes_
        found[f"{name}_rows"] = report["totals"]["rows"]
        found[f"{name}_peak_mb"] = peak >> 20
        found[f"{name}_seconds"] = round(seconds, 1)
    return found


def partitions(folder: Path, parts: int = 1000) -> dict[str, Any]:
    """Discover one file of many rows, then the same rows in a thousand partitions."""
    lines = [f"{n},person{n}@example.org\n" for n in range(parts * 100)]
    (folder / "one").mkdir()
    (folder / "one" / "a.csv").write_text("id,email\n" + "".join(lines))
    for n in range(parts):
        path = folder / "many" / f"day={n}" / "a.csv"
        path.parent.mkdir(parents=True)
        path.write_text("id,email\n" + "".join(lines[n * 100 : n * 100 + 100]))
    found: dict[str, Any] = {"partitions": parts}
    for name in ("one", "many"):
        connector = connect(locations.parse(str(folder / name), "files"), Boundary())
        began = time.monotonic()
        (asset,) = connector.discover().assets
        found[f"{name}_discover_ms"] = round((time.monotonic() - began) * 1000, 1)
        _, _, seconds = scanned(str(folder / name))
        found[f"{name}_scan_seconds"] = round(seconds, 2)
        found[f"{name}_columns"] = len(asset.columns)
        found[f"{name}_schemas"] = len(asset.details.get("schemas", [0]))
    return found


def tables(folder: Path, count: int = 20_000) -> dict[str, Any]:
    """List the tables of a PostgreSQL database, ten columns each, a key and an index."""
    import psycopg

    from tests.postgres import postgres

    with postgres() as url:
        plain = url.replace("+psycopg", "")
        columns = ", ".join(f"c{n} text" for n in range(9))
        with psycopg.connect(plain, autocommit=True) as db:
            for start in range(0, count, 500):
                db.execute(
                    "".join(
                        f"CREATE TABLE t{n} (id bigint PRIMARY KEY, {columns});"
                        for n in range(start, min(count, start + 500))
                    ).encode()
                )
        connector = connect(locations.parse(plain), Boundary())
        began = time.monotonic()
        listing = connector.discover()
        seconds = time.monotonic() - began
        connector.close()
    return {
        "tables": len(listing.assets),
        "tables_columns": sum(len(asset.columns) for asset in listing.assets),
        "tables_seconds": round(seconds, 2),
    }


MEASURES: dict[str, Callable[[Path], dict[str, Any]]] = {
    "memory": memory, "partitions": partitions, "tables": tables,
}  # fmt: skip


def main() -> None:
    found: dict[str, Any] = {"bench": "sources"}
    for name in sys.argv[1:] or MEASURES:
        with tempfile.TemporaryDirectory(prefix="racine-bench-") as folder:
            found |= MEASURES[name](Path(folder))
            print(name, found)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
