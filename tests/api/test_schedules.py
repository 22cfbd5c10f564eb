"""Schedules over HTTP, with a real Temporal server behind the API."""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from tests.api.server import Api
from tests.api.test_executions import JOB, save
from tests.conftest import Temporal

URL = "/api/racine/schedules"
NIGHTLY: dict[str, Any] = {"name": "nightly", "cron": "30 2 * * *", "time_zone": "Europe/Berlin"}


@pytest.fixture
def client(api_with_temporal: Api, temporal: Temporal) -> Iterator[httpx.Client]:
    yield api_with_temporal.as_admin()

    async def clean() -> None:
        async for found in await temporal.client.list_schedules():
            await temporal.client.get_schedule_handle(found.id).delete()

    temporal.run(clean())


def described(temporal: Temporal, workspace_id: str, schedule_id: str) -> Any:
    handle = temporal.client.get_schedule_handle(f"sched:{workspace_id}:{schedule_id}")
    return temporal.run(handle.describe())


def test_temporal_has_the_schedule_as_the_row_says(
    client: httpx.Client, api_with_temporal: Api, temporal: Temporal
) -> None:
    job_id = save(client)
    wish = NIGHTLY | {"overlap": "buffer_one", "jitter_seconds": 60, "parameters": {"value": 1}}
    made = client.post(f"/api/racine/workflows/{job_id}/schedules", json=wish)
    assert made.status_code == 201, made.text
    body = made.json()
    assert body["applied"]
    there = described(temporal, api_with_temporal.workspace_id, body["id"]).schedule
    assert there.policy.overlap.name == "BUFFER_ONE"
    assert there.policy.catchup_window == timedelta(hours=1)
    assert (there.spec.time_zone_name, there.spec.jitter) == (
        "Europe/Berlin", timedelta(minutes=1),
    )  # fmt: skip
    found = client.get(f"{URL}/{body['id']}")
    changed = client.put(
        f"{URL}/{body['id']}",
        json=wish | {"cron": "0 3 * * *"},
        headers={"If-Match": found.headers["etag"]},
    )
    assert changed.json()["applied"]
    paused = client.post(f"{URL}/{body['id']}/pause", json={"note": "maintenance"}).json()
    assert (paused["paused"], paused["note"]) == (True, "maintenance")
    there = described(temporal, api_with_temporal.workspace_id, body["id"]).schedule
    assert (there.state.paused, there.state.note) == (True, "maintenance")
    assert there.spec.calendars[0].hour[0].start == 3
    assert not client.post(f"{URL}/{body['id']}/unpause").json()["paused"]
    latest = client.get(f"{URL}/{body['id']}").headers["etag"]
    gone = client.delete(f"{URL}/{body['id']}", headers={"If-Match": latest})
    assert gone.status_code == 204
    assert client.get(f"{URL}/{body['id']}").status_code == 404
    assert client.get(URL).json()["items"] == []
    again = client.post(f"/api/racine/workflows/{job_id}/schedules", json=wish)
    assert again.status_code == 201


def test_the_preview_of_temporal_is_that_of_the_line(client: httpx.Client) -> None:
    made = client.post(f"/api/racine/workflows/{save(client)}/schedules", json=NIGHTLY).json()
    told = client.get(f"{URL}/{made['id']}/preview", params={"count": 3}).json()
    assert told["read_by"] == "temporal"
    times = [datetime.fromisoformat(moment) for moment in told["times"]]
    local = [moment.astimezone(ZoneInfo("Europe/Berlin")) for moment in times]
    assert [(m.hour, m.minute) for m in local] == [(2, 30)] * 3
    before = client.post(f"{URL}/preview", params={"count": 3}, json=NIGHTLY).json()
    assert [datetime.fromisoformat(moment) for moment in before["times"]] == times


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("cron", "61 * * * *", "not a cron line"),
        ("cron", "* * * *", "4 fields"),
        ("cron", "0 0 1 * MON", "two schedules"),
        ("cron", "@daily", "1 fields"),
        ("time_zone", "Mars/Olympus", "IANA"),
        ("overlap", "maybe", "buffer_one"),
        ("catchup_window_seconds", 1, "10"),
    ],
)
def test_a_schedule_that_cannot_fire_is_refused(
    api: Api, field: str, value: Any, says: str
) -> None:
    admin = api.as_admin()
    answer = admin.post(
        f"/api/racine/workflows/{save(admin)}/schedules", json=NIGHTLY | {field: value}
    )
    assert answer.status_code == 422
    (fault,) = answer.json()["errors"]
    assert fault["pointer"] == f"/{field}"
    assert says in fault["message"]


def test_parameters_of_a_schedule_fit_its_job(api: Api) -> None:
    admin = api.as_admin()
    wish = NIGHTLY | {"parameters": {"value": -1}}
    answer = admin.post(f"/api/racine/workflows/{save(admin)}/schedules", json=wish)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/parameters/value"


def test_a_schedule_wished_for_without_temporal_is_not_applied(api: Api) -> None:
    admin = api.as_admin()
    job_id = save(admin)
    made = admin.post(f"/api/racine/workflows/{job_id}/schedules", json=NIGHTLY)
    assert (made.status_code, made.json()["applied"]) == (201, False)
    taken = admin.post(f"/api/racine/workflows/{job_id}/schedules", json=NIGHTLY)
    assert taken.status_code == 409
    assert admin.get(f"{URL}/{made.json()['id']}/preview").status_code == 503
    stranger = api.as_admin(**{"Racine-Workspace": api.new_workspace("other")})
    assert stranger.get(f"{URL}/{made.json()['id']}").status_code == 404
    archived = admin.delete(f"/api/racine/workflows/{job_id}", headers={"If-Match": '"1"'})
    assert archived.status_code == 204
    assert admin.get(URL).json()["items"] == []


@pytest.mark.usefixtures("workers")
def test_a_triggered_schedule_makes_a_run_with_its_row(client: httpx.Client) -> None:
    job_id = save(client, JOB)
    wish = NIGHTLY | {"parameters": {"value": 5}}
    made = client.post(f"/api/racine/workflows/{job_id}/schedules", json=wish).json()
    assert client.post(f"{URL}/{made['id']}/trigger").status_code == 202
    deadline = time.monotonic() + 30
    while True:
        found = client.get(f"/api/racine/workflows/{job_id}/executions").json()["items"]
        if found and found[0]["state"] == "completed":
            break
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    (run,) = found
    assert run["trigger"] == "schedule"
    detail = client.get(f"/api/racine/workflows/executions/{run['id']}").json()
    assert detail["schedule_id"] == made["id"]
    assert detail["scheduled_for"] is not None
    assert (detail["parameters"], detail["outputs"]) == ({"value": 5}, {"value": 5})
