"""What bounds a scan: windows of time, and budgets of rows, bytes, seconds and connections."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.activities.worlds import shop
from tests.eventually import eventually
from tests.temporal.scans.platform import Platform
from tests.temporal.scans.servers import ROWS, Server, postgresql


@pytest.mark.parametrize(
    ("budget", "named"),
    [({"rows": 150}, "rows"), ({"bytes": 3000}, "bytes"), ({"seconds": 1e-6}, "seconds")],
)
def test_a_sources_budget_puts_assets_off_to_the_next_scan(
    platform: Platform, tmp_path: Path, budget: dict[str, float], named: str
) -> None:
    platform.rules(sample="all", plan={"mode": "full"}, source_budget=budget)
    source = platform.source("sqlite", str(shop(tmp_path / "shop.db", tables=6, rows=60)))
    first = platform.scan(source).ended()
    read = {name for name, state in first.taken().items() if state == "scanned"}
    left = {name for name, state in first.taken().items() if state == "deferred"}
    assert read
    assert left, "the budget is for some of the tables"
    assert {first.assets()[name]["left_out"] for name in left} == {
        f"The budget ended: source {named}."
    }
    assert first.spent(named) >= budget[named]
    assert {f"shop/{name}" for name in read | left} <= set(platform.catalog()), "all are published"
    platform.rules(sample="all", plan={"mode": "full"})
    second = platform.scan(source).ended()
    assert set(second.taken().values()) == {"scanned"}
    assert set(second.reading_order()[: len(left)]) == left, "and comes first now"


def test_a_budget_of_one_asset_cuts_it_short_and_says_so(
    platform: Platform, tmp_path: Path
) -> None:
    path = str(shop(tmp_path / "shop.db", tables=2, rows=30_000))
    some = {"assets": ["*_0"], "rules": {"budget": {"rows": 500}}}
    short = {"assets": ["*_1"], "rules": {"budget": {"seconds": 1e-6}}}
    platform.rules(sample="all", overrides=[some, short])
    scan = platform.scan(platform.source("sqlite", path)).ended()
    by_rows, by_time = (scan.assets()[f"customers_{n}"] for n in range(2))
    assert (by_rows["rows"], by_rows["rows_read"]) == (30_000, 500), "a sample, not the first rows"
    assert (by_time["limits"], by_time["rows"]) == (["seconds"], 30_000)
    assert 0 < by_time["rows_read"] < 30_000


def test_two_scans_share_the_connections_that_the_budget_allows(
    platform: Platform, server: Server
) -> None:
    platform.rules(
        sample="all", include=["**.medium"], plan={"mode": "full"},
        source_budget={"connections": 1, "rows_per_second": 0.25},
    )  # fmt: skip
    source = platform.source(server.kind, server.location)
    first = platform.scan(source).reads()
    eventually(lambda: server.sessions() == 1, "the first holds the connection")
    platform.rules(
        sample="all", include=["**.medium"], plan={"mode": "full"},
        source_budget={"connections": 1},
    )  # fmt: skip
    second = platform.scan(source).reads()
    assert server.sessions() == 1, "the second waits"
    assert second.spent("rows") == 0
    first.order("throttle", rows_per_second=1e9)
    first.ended()
    second.ended()
    assert second.taken() == {"medium": "scanned"}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_window_that_closes_in_mid_table_opens_again(
    platform: Platform, postgres_db_url: str
) -> None:
    server = postgresql(postgres_db_url)
    closes = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(minutes=2)
    opens = closes + timedelta(minutes=1)
    platform.rules(
        sample="all", include=["**.big"], source_budget={"rows_per_second": 2000},
        window={"start": f"{opens:%H:%M}", "end": f"{closes:%H:%M}"},
    )  # fmt: skip
    scan = platform.scan(platform.source(server.kind, server.location)).reads()
    eventually(lambda: scan.parts() > 0, "a first chunk is kept", 150)
    eventually(lambda: datetime.now(UTC) > closes and server.sessions() == 0, "it let go", 150)
    chunks, read = scan.parts(), scan.spent("rows")
    assert scan.taken() == {"big": "pending"}
    scan.order("throttle", rows_per_second=1e9)
    assert (scan.parts(), scan.spent("rows")) == (chunks, read), "nothing is read meanwhile"
    scan.ended(seconds=300)
    assert datetime.now(UTC) > opens
    assert scan.assets()["big"]["rows_read"] == ROWS
    assert scan.spent("rows") < ROWS + 100_000, "it went on after its last chunk"
