"""No value of the data may reach history, database, blobs or logs; and the search would find it."""

import base64
import json
import sqlite3
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from models.stores import runs
from models.tables import Table
from racine import templates
from tests.temporal.conftest import Stack, run_workers
from tests.temporal.payloads import texts, unwrapped

EMAILS = [
    f"canary.{word}{n}@aviary-{word}.example" for n in range(40) for word in ("wren", "robin")
]
CARDS = ["4539578763621486", "4716461583322103", "5425233430109903", "374245455400126"]
NAMES = ["Quillanore Zethyrbane", "Ottoline Grimsquidge"]
KEYS = ["AKIAQ3EGZW7CANARY2PX", "ghp_canaryR4nd0mT0kenV4lue0123456789abcd"]
CANARIES = [*EMAILS, *CARDS, *NAMES, *KEYS]


def plant(path: Path) -> None:
    with sqlite3.connect(path) as shop:
        shop.execute("CREATE TABLE people (id INTEGER, contact TEXT, full_name TEXT, note TEXT)")
        rows = [(n, EMAILS[n % 80], NAMES[n % 2], f"call {NAMES[n % 2]}") for n in range(200)]
        shop.executemany("INSERT INTO people VALUES (?, ?, ?, ?)", rows)
        shop.execute("CREATE TABLE secrets (card TEXT, api_key TEXT)")
        shop.executemany(
            "INSERT INTO secrets VALUES (?, ?)", [(CARDS[n % 4], KEYS[n % 2]) for n in range(80)]
        )


@pytest.fixture
def estate(tmp_path: Path) -> Path:
    path = tmp_path / "estate" / "people.db"
    path.parent.mkdir()
    plant(path)
    return path


@pytest.fixture
def code(tmp_path: Path) -> Path:
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "leaky.py").write_text(
        "import base64, sqlite3, zlib\n"
        "def contact(path):\n"
        "    row = sqlite3.connect(path).execute('SELECT contact FROM people').fetchone()\n"
        "    return row[0]\n"
        "def plain(path):\n"
        "    return {'found': contact(path)}\n"
        "def wrapped(path):\n"
        "    packed = zlib.compress(contact(path).encode())\n"
        "    return {'found': base64.b64encode(packed).decode()}\n"
        "def printed(path):\n"
        "    print('looking at', contact(path))\n"
    )
    return folder


@pytest.fixture
def watched(idle_stack: Stack, code: Path) -> Iterator[Stack]:
    """A workspace whose workers find the users' module."""
    with run_workers(idle_stack, [code]):
        yield idle_stack


def leaks(stack: Stack, run_id: str, logs: str) -> set[tuple[str, str]]:
    """Return every canary that got out, with the place where it was found."""
    stack.events(run_id)
    with stack.db.read() as session:
        workflow_id = runs.get(session, run_id).workflow_id
    handle = stack.temporal.client.get_workflow_handle(workflow_id)
    history = stack.temporal.run(handle.fetch_history())
    places: list[tuple[str, Iterator[bytes]]] = [
        (f"event {event.event_id}", texts(event)) for event in history.events
    ]
    places.append(("logs", unwrapped(logs.encode())))
    places += [(name, unwrapped(value)) for name, value in stored(stack)]
    return {
        (place, canary)
        for place, found in places
        for text in found
        for canary in CANARIES
        if canary.encode() in text
    }


def stored(stack: Stack) -> Iterator[tuple[str, bytes]]:
    """Yield every value of every row, blobs among them."""
    with stack.db.read() as session:
        for table in Table.metadata.sorted_tables:
            for row in session.execute(select(table)).mappings():
                for column, value in row.items():
                    plain = value if isinstance(value, bytes) else _as_json(value)
                    yield f"{table.name}.{column}", plain


def _as_json(value: Any) -> bytes:
    return json.dumps(value, default=str, ensure_ascii=False).encode(errors="replace")


def test_a_governance_run_lets_no_value_out(
    watched: Stack, estate: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    job_id = watched.save(templates.load("governance_run"))
    run_id = watched.start(job_id, name="people", kind="sqlite", location=str(estate))
    assert watched.result(run_id).state == "completed"
    captured = capfd.readouterr()
    assert leaks(watched, run_id, captured.out + captured.err) == set()


@pytest.mark.parametrize("name", ["plain", "wrapped"])
def test_a_planted_leak_is_found_in_history(watched: Stack, estate: Path, name: str) -> None:
    found = leaks(watched, leak(watched, estate, name), "")
    assert [place for place, canary in found if place.startswith("event") and canary == EMAILS[0]]


def test_a_planted_leak_is_found_in_the_event_log(watched: Stack, estate: Path) -> None:
    found = leaks(watched, leak(watched, estate, "printed"), "")
    assert ("run_events.body", EMAILS[0]) in found


def test_a_planted_leak_is_found_in_logs(watched: Stack, estate: Path) -> None:
    packed = base64.b64encode(zlib.compress(EMAILS[0].encode())).decode()
    found = leaks(watched, leak(watched, estate, "contact_free"), f"sent {packed} away")
    assert found == {("logs", EMAILS[0])}


def leak(stack: Stack, estate: Path, name: str) -> str:
    """Run the leaky function of that name; one that does not exist leaks nothing."""
    task = {"callable": f"leaky:{name}", "parameters": {"path": str(estate)}}
    document: dict[str, Any] = {
        "name": f"leak_{name}",
        "tasks": [
            {"task_key": "look", "python_task": task, "retry_policy": {"maximum_attempts": 1}},
            {
                "task_key": "after",
                "noop_task": {},
                "depends_on": [{"task_key": "look"}],
                "run_if": "ALL_DONE",
            },
        ],
    }
    run_id = stack.start(stack.save(document))
    assert stack.result(run_id).state == "completed"
    return run_id
