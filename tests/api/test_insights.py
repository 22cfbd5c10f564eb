"""Views of runs over HTTP."""

import time

import pytest

from tests.api.server import Api
from tests.api.test_executions import URL, ended, save

PAIR = {
    "name": "pair",
    "tasks": [
        {"task_key": "one", "operation_task": {"operation": "racine.noop"}},
        {
            "task_key": "two",
            "depends_on": [{"task_key": "one"}],
            "operation_task": {"operation": "racine.noop"},
        },
    ],
}


@pytest.mark.usefixtures("workers")
def test_a_run_is_seen_as_graph_and_in_the_matrix(api_with_temporal: Api) -> None:
    client = api_with_temporal.as_admin()
    job_id = save(client, PAIR)
    run_id = client.post(f"{URL}/{job_id}/execute", json={}).json()["id"]
    ended(client, run_id)
    deadline = time.monotonic() + 60
    while True:  # the log is written in batches, soon after
        graph = client.get(f"{URL}/executions/{run_id}/graph").json()
        if all(task["ended_at"] for task in graph["tasks"]):
            break
        assert time.monotonic() < deadline, graph
        time.sleep(0.05)
    assert graph["critical_path"] == ["one", "two"]
    assert [task["state"] for task in graph["tasks"]] == ["succeeded", "succeeded"]
    assert graph["tasks"][1]["depends_on"] == [{"task_key": "one"}]
    matrix = client.get(f"{URL}/{job_id}/matrix").json()
    assert matrix["versions"] == {"1": ["one", "two"]}
    (row,) = matrix["runs"]
    assert (row["id"], row["states"]) == (run_id, "ss")
    assert matrix["legend"]["s"] == "succeeded"
    assert client.get(f"{URL}/{job_id}/failures").json()["items"] == []


def test_a_task_after_an_open_one_says_so(api_with_temporal: Api) -> None:
    client = api_with_temporal.as_admin()
    run_id = client.post(f"{URL}/{save(client, PAIR)}/execute", json={}).json()["id"]
    graph = client.get(f"{URL}/executions/{run_id}/graph").json()
    _, two = graph["tasks"]
    assert two["waiting"] == "It waits for one."
    stranger = api_with_temporal.as_admin(
        **{"Racine-Workspace": api_with_temporal.new_workspace("other")}
    )
    assert stranger.get(f"{URL}/executions/{run_id}/graph").status_code == 404
