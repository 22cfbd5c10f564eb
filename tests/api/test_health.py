"""What probes see, with and without Temporal."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
from temporalio import activity
from temporalio.worker import Worker

from activities.names import ACTIVITY_QUEUE
from models import revision, schema
from tests.api.server import Api
from tests.conftest import Temporal


def test_without_temporal_the_api_lives_and_says_what_is_missing(api: Api) -> None:
    client = api.anonymous()
    assert client.get("/livez").json() == {"alive": True}
    answer = client.get("/readyz")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    parts = {part["name"]: part for part in answer.json()["parts"]}
    assert parts["database"]["ok"]
    assert parts["migrations"]["ok"]
    assert not parts["temporal"]["ok"]
    assert "127.0.0.1:1" in parts["temporal"]["reason"]


def test_with_temporal_the_api_is_ready(api_with_temporal: Api) -> None:
    answer = api_with_temporal.anonymous().get("/readyz")
    assert (answer.status_code, answer.json()["ready"]) == (200, True)


def test_the_release_is_told_with_its_schema(api: Api) -> None:
    answer = api.anonymous().get("/version").json()
    assert answer["schema_revision"] == revision.head() == schema.head()


def test_health_names_all_seven_groups_and_the_missing_temporal(api: Api) -> None:
    answer = api.as_admin().get("/api/racine/orchestration/health").json()
    assert {group["name"] for group in answer["groups"]} == {
        "catalog",
        "classifications",
        "compliance",
        "data_sources",
        "rbac",
        "scan_logic",
        "scan_rule_sets",
    }
    assert not answer["ok"]
    assert {queue["workers"] for queue in answer["queues"]} == {None}


@activity.defn
def nothing() -> None:
    """Does nothing."""


def test_health_counts_the_workers_of_a_queue(api_with_temporal: Api, temporal: Temporal) -> None:
    admin = api_with_temporal.as_admin()

    async def work() -> None:
        async with Worker(
            temporal.client,
            task_queue=ACTIVITY_QUEUE,
            activities=[nothing],
            activity_executor=ThreadPoolExecutor(1),
        ):
            await _until_polled(admin)

    temporal.run(work())


async def _until_polled(admin: httpx.Client) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        answer = await asyncio.to_thread(admin.get, "/api/racine/orchestration/health")
        queues = {queue["name"]: queue["workers"] for queue in answer.json()["queues"]}
        if queues[ACTIVITY_QUEUE]:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(answer.text)


def test_metrics_count_by_route_not_by_address(api: Api) -> None:
    admin = api.as_admin()
    admin.get("/api/rbac/users/usr_one")
    admin.get("/api/rbac/users/usr_two")
    text = api.anonymous().get("/metrics").text
    line = 'racine_http_requests_total{method="GET",route="/api/rbac/users/{user_id}",status="404"}'
    assert line in text
    assert "usr_one" not in text
