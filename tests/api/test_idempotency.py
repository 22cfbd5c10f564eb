"""Requests that carry a key have one effect, on both engines and through crashes."""

import asyncio
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from api.idempotency import Idempotency
from models.session import Database
from models.stores import idempotency as store
from models.tables.base import now
from models.tables.idempotency import IdempotentRequest
from racine.errors import Conflict, InvalidInput
from services import idempotency
from services.access import Actor
from services.idempotency import Answer, InFlight, Keeper, Ticket
from tests.api.server import Api, serve

ADA = Actor("usr_ada", "Ada", "ws_1")
WORKSPACES = "/api/racine/workspaces"


def body(slug: str) -> dict[str, str]:
    return {"slug": slug, "title": slug}


def keyed(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key}


def test_a_hundred_posts_of_one_key_have_one_effect(api_on_each: Api) -> None:
    token = api_on_each.as_admin().headers["authorization"]
    gate = threading.Barrier(20)

    def five(_: int) -> list[httpx.Response]:
        with httpx.Client(base_url=api_on_each.url, timeout=60) as client:
            gate.wait()
            headers = {"Authorization": token, **keyed("one")}
            return [client.post(WORKSPACES, json=body("sales"), headers=headers) for _ in range(5)]

    with ThreadPoolExecutor(20) as pool:
        answers = [answer for some in pool.map(five, range(20)) for answer in some]
    assert Counter(answer.status_code for answer in answers) == {201: 100}
    assert len({answer.text for answer in answers}) == 1
    assert len({answer.headers["location"] for answer in answers}) == 1
    slugs = [w["slug"] for w in api_on_each.as_admin().get(WORKSPACES).json()["items"]]
    assert slugs == ["sales", "main"]
    rows = api_on_each.as_admin(**{"Racine-Workspace": "sales"}).get("/api/racine/activities")
    assert [row["action"] for row in rows.json()["items"]].count("workspace.create") == 1


def test_a_key_used_for_another_body_is_refused(api: Api) -> None:
    admin = api.as_admin()
    admin.post(WORKSPACES, json=body("one"), headers=keyed("k")).raise_for_status()
    other = admin.post(WORKSPACES, json=body("two"), headers=keyed("k"))
    assert other.status_code == 422
    assert other.json()["errors"][0]["pointer"] == "/header/Idempotency-Key"


def test_a_refused_request_leaves_its_key_free(api: Api) -> None:
    admin = api.as_admin()
    wrong = admin.post(WORKSPACES, json={"slug": "NOT A SLUG"}, headers=keyed("k"))
    assert wrong.status_code == 422
    right = admin.post(WORKSPACES, json=body("sales"), headers=keyed("k"))
    assert right.status_code == 201


def test_one_callers_key_is_nothing_to_another(api: Api) -> None:
    first, second = api.as_admin(), api.as_user(["*:*"])
    key = {"name": "ci", "permissions": ["catalog:read"]}
    one = first.post("/api/auth/keys", json=key, headers=keyed("k")).json()
    two = second.post("/api/auth/keys", json=key, headers=keyed("k")).json()
    assert one["key"] != two["key"]
    again = first.post("/api/auth/keys", json=key, headers=keyed("k"))
    assert again.json() == one
    assert again.headers["idempotency-replayed"] == "true"


def test_a_secret_in_a_kept_answer_is_not_readable_in_the_database(
    api: Api, tmp_path: Path
) -> None:
    key = {"name": "ci", "permissions": ["catalog:read"]}
    made = api.as_admin().post("/api/auth/keys", json=key, headers=keyed("k")).json()
    files = b"".join(path.read_bytes() for path in tmp_path.glob("racine.db*"))
    assert made["id"].encode() in files
    assert made["key"].encode() not in files


@pytest.mark.parametrize("key", ["", "a" * 256, "two words"])
def test_what_is_no_key_is_refused(api: Api, key: str) -> None:
    answer = api.as_admin().post(WORKSPACES, json=body("sales"), headers=keyed(key))
    assert answer.status_code == 422


@pytest.fixture
def keeper(db: Database) -> Keeper:
    return Keeper(db, b"k" * 32)


def claim(keeper: Keeper, content: bytes = b"{}") -> Ticket | Answer:
    return keeper.claim(ADA, "k", "POST", "/x", content)


def ticket(keeper: Keeper) -> Ticket:
    found = claim(keeper)
    assert isinstance(found, Ticket)
    return found


def run_out(db: Database) -> None:
    with db.write() as session:
        session.execute(update(IdempotentRequest).values(leased_until=now() - timedelta(hours=1)))


def test_while_one_carries_it_out_others_wait(keeper: Keeper) -> None:
    ticket(keeper)
    with pytest.raises(InFlight):
        claim(keeper)
    with pytest.raises(InvalidInput):
        claim(keeper, b"other")


def test_a_crash_before_the_effect_lets_another_try(db: Database, keeper: Keeper) -> None:
    dead = ticket(keeper)
    run_out(db)
    alive = ticket(keeper)
    # The one thought dead comes back: its effect must not be committed.
    with pytest.raises(Conflict, match="took over"), db.write() as session:
        idempotency.mark_effected(session, dead)
    with db.write() as session:
        idempotency.mark_effected(session, alive)
    keeper.keep(alive, Answer(201, {"location": "/x/1"}, b"made"))
    assert claim(keeper) == Answer(201, {"location": "/x/1"}, b"made")


def test_a_crash_after_the_effect_never_repeats_it(db: Database, keeper: Keeper) -> None:
    dead = ticket(keeper)
    with db.write() as session:
        idempotency.mark_effected(session, dead)
    assert not keeper.release(dead)
    run_out(db)
    with pytest.raises(Conflict, match="was carried out"):
        claim(keeper)


def test_a_key_is_forgotten_after_its_time_and_not_before(db: Database, keeper: Keeper) -> None:
    first = ticket(keeper)
    keeper.keep(first, Answer(201, {}, b"made"))
    with db.read() as session:
        row = session.get(store.IdempotentRequest, first.id)
        assert row is not None
        assert row.expires_at - row.created_at >= timedelta(hours=24) - timedelta(seconds=1)
    with db.write() as session:
        session.execute(update(IdempotentRequest).values(expires_at=now() - timedelta(seconds=1)))
    assert isinstance(claim(keeper), Ticket)


def test_patience_ends_in_a_conflict(sqlite_db: Database, tmp_path: Path) -> None:
    """A second POST that meets one still at work answers 409 once its patience is over."""
    with serve(sqlite_db, tmp_path) as api:
        held, sent = threading.Event(), threading.Event()

        async def slow(scope: Any, receive: Any, send: Any) -> None:
            sent.set()
            await asyncio.to_thread(held.wait, 30)
            await send({"type": "http.response.start", "status": 201, "headers": []})
            await send({"type": "http.response.body", "body": b"done"})

        scope = _scope(api)
        first: list[list[Any]] = []
        edge = Idempotency(slow, patience=0.2)
        at_work = threading.Thread(target=lambda: first.append(asyncio.run(_call(edge, scope))))
        at_work.start()
        assert sent.wait(30)
        second = asyncio.run(_call(edge, scope))
        assert second[0]["status"] == 409
        held.set()
        at_work.join(30)
        assert first[0][0]["status"] == 201
        third = asyncio.run(_call(edge, scope))
        assert (third[0]["status"], third[1]["body"]) == (201, b"done")


def _scope(api: Api) -> dict[str, Any]:
    token = api.as_admin().headers["authorization"]
    headers = [(b"authorization", token.encode()), (b"idempotency-key", b"k")]
    return {
        "type": "http", "method": "POST", "path": "/x", "raw_path": b"/x", "query_string": b"",
        "headers": headers, "server": ("127.0.0.1", 80), "scheme": "http",
        "client": ("127.0.0.1", 1), "app": api.app,
    }  # fmt: skip


async def _call(edge: Idempotency, scope: dict[str, Any]) -> list[Any]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    state = {"request_id": "req_test", "body": b""}
    await edge({**scope, "state": state}, receive, send)
    return sent
