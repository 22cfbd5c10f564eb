"""The code of jobs over HTTP, and how long it is kept."""

from datetime import timedelta

from models.stores import bundles as stored
from models.tables.base import now
from racine import bundles
from tests.api.server import Api

URL = "/api/racine/bundles"
JOBS = "/api/racine/workflows"
ZIP = {"Content-Type": "application/zip"}
CODE = bundles.pack({"mine.py": b"def answer(): return 42\n"})
DIGEST = bundles.digest(CODE)


def job(digest: str) -> dict[str, object]:
    task = {"task_key": "a", "python_task": {"callable": "mine:answer"}}
    return {"document": {"name": "pinned", "tasks": [task], "bundle": digest}}


def test_a_bundle_is_kept_once_and_named_by_jobs(api_on_each: Api) -> None:
    client = api_on_each.as_admin()
    early = client.post(JOBS, json=job(DIGEST))
    assert (early.status_code, early.json()["errors"][0]["pointer"]) == (422, "/bundle")
    made, again = (client.post(URL, content=CODE, headers=ZIP) for _ in range(2))
    assert (made.status_code, made.json()["digest"]) == (201, DIGEST)
    assert made.json()["id"] == again.json()["id"]
    assert (made.json()["files"], made.json()["size"]) == (1, len(CODE))
    found = client.get(URL, params={"digest": DIGEST}).json()["items"]
    assert [item["id"] for item in found] == [made.json()["id"]]
    assert client.get(URL, params={"digest": "0" * 64}).json()["items"] == []
    assert client.post(JOBS, json=job(DIGEST)).status_code == 201
    activities = client.get("/api/racine/activities").json()["items"]
    assert {"bundle.put", "job.create"} <= {item["action"] for item in activities}


def test_what_is_no_bundle_is_refused(api: Api) -> None:
    client = api.as_admin()
    for content in (b"PK", CODE + b"x"):
        told = client.post(URL, content=content, headers=ZIP)
        assert (told.status_code, told.json()["code"]) == (422, "invalid_input")


def test_another_workspaces_code_cannot_be_named(api: Api) -> None:
    api.as_admin().post(URL, content=CODE, headers=ZIP)
    stranger = api.as_admin(**{"Racine-Workspace": api.new_workspace("other")})
    assert stranger.get(URL).json()["items"] == []
    assert stranger.post(JOBS, json=job(DIGEST)).status_code == 422
    reader = api.as_user(["workflows:read"])
    assert reader.post(URL, content=CODE, headers=ZIP).status_code == 403
    assert reader.get(URL).status_code == 200


def test_only_what_no_version_names_is_purged_and_not_at_once(api_on_each: Api) -> None:
    client, db = api_on_each.as_admin(), api_on_each.db
    other = bundles.pack({"mine.py": b"answer = None\n"})
    for content in (CODE, other):
        client.post(URL, content=content, headers=ZIP)
    address = client.post(JOBS, json=job(DIGEST)).headers["location"]
    newer = job(bundles.digest(other))
    assert client.put(address, json=newer, headers={"If-Match": '"1"'}).status_code == 200
    assert client.delete(address, headers={"If-Match": '"2"'}).status_code == 204
    lost = client.post(URL, content=bundles.pack({"a": b""}), headers=ZIP).json()["id"]
    with db.write() as session:
        assert stored.purge(session, now() - timedelta(days=1)) == 0
        assert stored.purge(session, now() + timedelta(days=1)) == 1
    assert lost not in [item["id"] for item in client.get(URL).json()["items"]]
    assert len(client.get(URL).json()["items"]) == 2
