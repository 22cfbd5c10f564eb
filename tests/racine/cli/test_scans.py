"""`racine scans` as a process of its own, against a real server with its workers."""

import json
import os
from pathlib import Path

import pytest

from tests.activities.worlds import shop
from tests.racine.cli.test_cli import racine, server

__all__ = ["server"]


@pytest.mark.usefixtures("workers")
def test_a_source_is_planned_scanned_and_looked_at(tmp_path: Path, server: dict[str, str]) -> None:
    name = f"shop-{os.getpid()}"
    place = str(shop(tmp_path / "shop.db"))
    added = racine("sources", "add", name, place, "--kind", "sqlite", "-o", "json", **server)
    assert json.loads(added.stdout)["location"] == place
    tested = racine("sources", "test", name, **server)
    assert (tested.returncode, tested.stderr) == (0, "")
    assert "list  yes   3 tables" in tested.stdout
    listed = json.loads(racine("sources", "list", "-o", "json", **server).stdout)
    assert {s["name"]: s["state"] for s in listed}[name] == "connected"
    planned = racine("scans", "plan", name, "-o", "json", **server)
    assert planned.returncode == 0, planned.stderr
    found = json.loads(planned.stdout)
    assert [(a["name"], a["plan"]["why"]) for a in found] == [
        (f"customers_{n}", "It was never read.") for n in range(3)
    ]
    started = racine("scans", "start", name, **server)
    assert started.returncode == 0, started.stderr
    first, plan = json.loads(
        racine("scans", "list", "--source", name, "-o", "json", **server).stdout
    )
    assert (first["state"], plan["state"]) == ("published", "planned")
    assert "was never read" in racine("scans", "assets", first["id"], **server).stdout
    shown = json.loads(racine("scans", "show", first["id"], "-o", "json", **server).stdout)
    assert shown["totals"]["scanned"] == 3
    refused = racine("scans", "pause", first["id"], **server)
    assert refused.returncode == 1
    assert "does not read" in refused.stderr
    assert racine("scans", "drift", name, "-o", "json", **server).stdout.strip() == "[]"
    assert racine("scans", "plan", "nowhere", **server).returncode == 1
