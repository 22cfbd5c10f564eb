"""Scans that are cancelled while their source works for them: the whole run, or one asset."""

import uuid
from collections.abc import Callable

import pytest

from tests.eventually import eventually
from tests.temporal.scans.platform import Platform, RunningScan
from tests.temporal.scans.servers import CHUNKS, Server

STOPPED = 5.0
"""Seconds after a cancel by which the query at the source must have ended."""


def working(scan: RunningScan, server: Server, asset: str) -> None:
    """Wait until the server is in the middle of what one asset asks of it."""
    scan.reads()
    if asset == "slow":
        eventually(lambda: server.statements() != [], "the server works")
    else:
        eventually(lambda: (scan.detail() or {})["spent"].get("rows", 0) > 1000, "rows have come")


def at_work_after(server: Server, order: Callable[[], None]) -> float:
    """Return for how many seconds after an order the server was seen at work for us.

    By its own clock: how soon this process is let look at a busy machine is no part of it.
    """
    given = last = server.now()
    order()

    def idle() -> bool:
        nonlocal last
        now, busy = server.now(), server.statements() != []
        last = now if busy else last
        return not busy

    eventually(idle, "the server does nothing for us any more")
    return (last - given).total_seconds()


def cancelled(platform: Platform, server: Server, asset: str) -> float:
    """Cancel a scan in the middle of an asset; return how long its query went on, in seconds."""
    source = platform.source(server.kind, server.location, f"shop_{uuid.uuid4().hex[:8]}")
    scan = platform.scan_with_cleanup(source)
    working(scan, server, asset)
    seconds = at_work_after(server, scan.cancel)
    scan.ended("cancelled")
    eventually(lambda: server.sessions() == 0, "no connection is left")
    assert scan.taken() == {"a_small": "scanned", asset: "cancelled", "z_last": "cancelled"}
    assert scan.assets()[asset]["error"] == "The scan was cancelled."
    assert (scan.detail() or {})["state"] == "cancelled"
    assert platform.catalog() == {}, "nothing is half published"
    assert ("scan", "cancelled") in scan.events()
    assert ("clean", "succeeded") in scan.events()
    assert not [event for event in scan.events() if event[0] == "publish" and "succ" in event[1]]
    return seconds


@pytest.mark.parametrize("asset", ["big", "slow"])
def test_a_cancelled_scan_stops_its_query_at_the_source_within_five_seconds(
    platform: Platform, server: Server, asset: str
) -> None:
    platform.rules(sample="all", include=["**.a_small", f"**.{asset}", "**.z_last"])
    took: list[float] = []
    while not took or (min(took) > STOPPED and len(took) < 4):
        took.append(cancelled(platform, server, asset))
    # What the machine does beside it can only add: the best of the tries is the scan's own time.
    assert min(took) <= STOPPED, took


def test_a_cancelled_run_is_repaired_and_reads_what_it_had_not(
    platform: Platform, server: Server
) -> None:
    platform.rules(
        sample=50,
        include=["**.a_small", "**.medium", "**.z_last"],
        source_budget={"rows_per_second": 20},
    )
    scan = platform.scan_with_cleanup(platform.source(server.kind, server.location)).reads()
    eventually(lambda: scan.assets()["a_small"]["state"] == "scanned", "one asset is read")
    scan.cancel_asset("z_last")
    scan.cancel()
    scan.ended("cancelled")
    platform.post(f"/api/racine/workflows/executions/{scan.run_id}/repair", {})
    scan.ended()
    assert scan.taken() == {"a_small": "scanned", "medium": "scanned", "z_last": "cancelled"}


@pytest.mark.parametrize("asset", ["big", "slow"])
def test_one_asset_is_cancelled_and_the_others_go_on(
    platform: Platform, server: Server, asset: str
) -> None:
    platform.rules(sample="all", include=["**.a_small", f"**.{asset}", "**.z_last"])
    scan = platform.scan(platform.source(server.kind, server.location))
    working(scan, server, asset)
    scan.cancel_asset(asset)
    scan.ended()
    assert scan.taken() == {"a_small": "scanned", asset: "cancelled", "z_last": "scanned"}
    assert scan.assets()[asset]["error"] == "Its reading was cancelled."
    eventually(lambda: server.sessions() == 0, "no connection is left")
    assert any(name.endswith(asset) for name in platform.catalog()), "it is in the catalog"


def test_a_paused_scan_lets_go_of_its_source_and_goes_on_in_mid_table(
    platform: Platform, server: Server
) -> None:
    platform.rules(sample="all", include=["**.medium"], source_budget={"rows_per_second": 20_000})
    scan = platform.scan(platform.source(server.kind, server.location))
    eventually(lambda: scan.parts() > 0, "a first chunk is kept")
    scan.order("pause")
    eventually(lambda: server.sessions() == 0, "it let go of the source")
    assert scan.assets()["medium"]["state"] == "pending"
    scan.order("throttle", rows_per_second=1e9)
    scan.order("resume")
    scan.ended()
    assert scan.assets()["medium"]["rows_read"] == CHUNKS
    assert scan.spent("rows") < 2 * CHUNKS, "the table was not begun anew"


def test_a_throttle_holds_while_the_scan_runs(platform: Platform, server: Server) -> None:
    # At this rate it would take days.
    platform.rules(sample="all", include=["**.medium"], source_budget={"rows_per_second": 0.25})
    scan = platform.scan(platform.source(server.kind, server.location)).reads()
    scan.order("throttle", rows_per_second=0.5)
    assert (scan.detail() or {})["control"] == {"rows_per_second": 0.5}
    eventually(lambda: server.sessions() == 1, "it waits, connected")
    assert scan.assets()["medium"]["state"] == "pending"
    scan.order("throttle", rows_per_second=1e9, share=1.0)
    scan.ended()
    assert scan.assets()["medium"]["rows_read"] == CHUNKS
