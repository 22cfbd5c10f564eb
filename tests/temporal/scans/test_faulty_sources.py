"""Sources that hang, drop, freeze or break: told on the asset, and nothing is lost by it."""

import contextlib
import signal
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from tests.activities.connectors import estates
from tests.eventually import eventually
from tests.mariadb import mariadb
from tests.postgres import postgres
from tests.temporal.scans import servers
from tests.temporal.scans.platform import Platform, RunningScan
from tests.temporal.scans.servers import CHUNKS, Server


def test_a_source_that_gives_nothing_is_broken_off_and_the_scan_goes_on(
    platform: Platform, server: Server
) -> None:
    platform.rules(
        sample="all", include=["**.a_small", "**.slow", "**.z_last"],
        overrides=[{"assets": ["**.slow"], "rules": {"budget": {"seconds": 2}}}],
    )  # fmt: skip
    scan = platform.scan(platform.source(server.kind, server.location)).ended()
    assert scan.taken() == {"a_small": "scanned", "slow": "failed", "z_last": "scanned"}
    assert scan.assets()["slow"]["error"] == "The source gave nothing for 2 seconds."
    eventually(lambda: server.statements() == [], "its query has ended")
    assert any(name.endswith("slow") for name in platform.catalog()), "it is hidden by no fault"


PATIENT = {"defaults": {"retry_policy": {"maximum_attempts": 1000, "backoff_coefficient": 1}}}


def in_mid_table(platform: Platform, location: str, kind: str, **rules: Any) -> RunningScan:
    platform.rules(
        sample="all", include=["**.medium", "**.z_last"], source_budget={"rows_per_second": 20_000},
        **rules,
    )  # fmt: skip
    scan = platform.scan_as(PATIENT, platform.source(kind, location))
    eventually(lambda: scan.parts() > 0, "a first chunk is kept")
    return scan


def read_whole_once(scan: RunningScan) -> None:
    scan.ended()
    assert scan.taken() == {"medium": "scanned", "z_last": "scanned"}
    assert scan.assets()["medium"]["rows_read"] == CHUNKS
    assert scan.spent("rows") < 2 * CHUNKS, "it went on after its last chunk"


def test_a_connection_dropped_in_mid_table_is_gone_on_from(
    platform: Platform, server: Server
) -> None:
    scan = in_mid_table(platform, server.location, server.kind)
    server.drop()
    scan.throttled_no_more()
    read_whole_once(scan)


def test_a_user_who_is_locked_out_in_mid_table_fails_no_asset(
    platform: Platform, server: Server
) -> None:
    scan = in_mid_table(platform, server.reader(), server.kind)
    server.let_in(False)
    server.drop()
    eventually(lambda: "was withdrawn" in scan.waits_for(), "the task says why it waits")
    assert set(scan.taken().values()) == {"pending"}
    server.let_in(True)
    scan.throttled_no_more()
    read_whole_once(scan)


def signalled(parent: psutil.Process, sign: signal.Signals) -> None:
    """Send a signal to a server: its parent first, which then makes no more children."""
    parent.send_signal(sign)
    for child in parent.children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            child.send_signal(sign)


def frozen(server: psutil.Process, scan: RunningScan, port: int) -> None:
    """Let a server hear and say nothing until it is hung up on, then let it go on."""

    def connected() -> bool:
        mine = psutil.Process().net_connections("tcp")
        return any(c.raddr and c.raddr.port == port and c.status == "ESTABLISHED" for c in mine)

    signalled(server, signal.SIGSTOP)
    try:
        scan.throttled_no_more()
        eventually(lambda: not connected(), "it was hung up on", 200)
    finally:
        signalled(server, signal.SIGCONT)


def freezes_in_mid_table(
    platform: Platform, server: Server, process: psutil.Process, port: int
) -> None:
    scan = in_mid_table(platform, server.location, server.kind, budget={"seconds": 60})
    frozen(process, scan, port)
    read_whole_once(scan)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_postgresql_that_freezes_in_mid_table_is_gone_on_from(platform: Platform) -> None:
    with postgres() as url:
        server = servers.postgresql(url)
        with psycopg.connect(server.location) as db:
            own = db.execute("SELECT pid FROM pg_stat_activity WHERE pid IS NOT NULL").fetchall()
            port = db.info.port
        parent = psutil.Process(int(own[0][0])).parent()
        assert parent is not None
        freezes_in_mid_table(platform, server, parent, port)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_mariadb_that_freezes_in_mid_table_is_gone_on_from(platform: Platform) -> None:
    with mariadb() as own, servers.mysql(own) as server:
        freezes_in_mid_table(platform, server, psutil.Process(own.process.pid), own.port)


def test_a_file_that_breaks_keeps_in_the_catalog_what_was_known_of_it(
    platform: Platform, tmp_path: Path
) -> None:
    folder = tmp_path / "lake"
    folder.mkdir()
    path = folder / "clients.parquet"
    estates.write_parquet(path, estates.CLIENTS, estates.clients(60))
    estates.write_csv(folder / "orders.csv", ("id", "note"), [(n, "x") for n in range(9)])
    source = platform.source("files", str(folder), name="lake")
    platform.scan(source).ended()
    before = platform.catalog()
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    for _ in range(3):
        scan = platform.scan(source).ended()
        broken = scan.assets()["parquet"]
        assert broken["state"] == "failed"
        assert "DuckDB could not read clients.parquet" in broken["error"]
        drift = platform.get("/api/scan-logic/drift", scan_id=scan.id)["items"]
        assert drift == [], "nothing changed: it cannot be seen"
    after = platform.catalog()
    assert set(after) == set(before)
    assert {n: a["sensitivity"] for n, a in after.items()} == {
        n: a["sensitivity"] for n, a in before.items()
    }
    path.write_bytes(whole)
    scan = platform.scan(source).ended()
    assert scan.taken() == {"parquet": "scanned", "csv": "scanned"}
