"""http_task against servers on this machine, and against addresses that nobody may reach."""

import asyncio
import gzip
import http.server
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from temporalio.exceptions import CancelledError
from temporalio.testing import ActivityEnvironment

from activities.connectors.boundary import Boundary
from activities.exchange import Request, checked_url, send
from activities.http import HttpTasks
from models.keys import root_key
from models.messages import RunContext, TaskCall, TaskOutput
from models.session import Database
from models.settings import Settings
from models.stores import blobs, secrets
from racine.errors import InvalidInput, SourceFault
from racine.governance.rbac.decision import SYSTEM_ID
from tests.activities.tasks import Bench, bench


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers by path, and keeps what it was asked."""

    protocol_version = "HTTP/1.1"
    asked: list[dict[str, Any]]

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        length = int(self.headers.get("content-length", 0))
        body = self.rfile.read(length).decode()
        self.asked.append({"path": self.path, "headers": dict(self.headers), "body": body})
        path = self.path.split("?")[0].strip("/")
        if path.isdecimal():
            self._answer(int(path), b"{}", {"Retry-After": "7"})
        elif path == "slow":
            self.send_response(200)
            self.end_headers()
            self.server.stopped.wait(30)  # type: ignore[attr-defined]
        elif path.startswith("to/"):
            self._answer(302, b"", {"Location": path.removeprefix("to/")})
        elif path == "bomb":
            self._answer(200, gzip.compress(b"0" * (64 << 20)), {"Content-Encoding": "gzip"})
        elif path == "text":
            self._answer(200, b"hello", {"Content-Type": "text/plain"})
        elif path == "binary":
            self._answer(200, b"\x89PNG", {"Content-Type": "image/png"})
        elif path == "large":
            self._answer(200, json.dumps({"rows": ["x" * 100] * 1000, "n": 1000}).encode())
        else:
            self._answer(200, json.dumps({"data": {"a/b": [1, {"n": 7}]}, "ok": True}).encode())

    do_POST = do_GET

    def _answer(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        given = {"Content-Type": "application/json", "Content-Length": str(len(content))}
        for name, value in {**given, **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def served() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Serve on a free port; yield the address and what was asked."""
    asked: list[dict[str, Any]] = []
    handler = type("Asked", (Handler,), {"asked": asked})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.stopped = threading.Event()  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.stopped.set()  # type: ignore[attr-defined]
        server.shutdown()
        server.server_close()
        thread.join()


class Http:
    def __init__(self, made: Bench, url: str, asked: list[dict[str, Any]]) -> None:
        self.bench, self.url, self.asked = made, url, asked
        self.serve = HttpTasks(made.attempts).run

    def given(self, path: str, **more: Any) -> dict[str, Any]:
        return {"url": self.url + path, "headers": {}, **more}

    def run(self, path: str, names: Any = None, **more: Any) -> TaskOutput:
        return self.bench.carry_out(self.serve, self.given(path, **more), names=names)

    def fails(self, path: str, **more: Any) -> tuple[str, str, dict[str, Any]]:
        failure = self.bench.refused(self.serve, self.given(path, **more))
        return failure.type or "", failure.message, failure.details[0]


@pytest.fixture
def tasks(sqlite_db: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[Http]:
    """Tasks that may reach 127.0.0.1 by the operator's setting."""
    monkeypatch.setenv("RACINE_REQUEST_HOSTS", '["127.0.0.0/8"]')
    monkeypatch.setenv("RACINE_DATA_DIR", str(tmp_path))
    with bench(sqlite_db) as made, served() as (url, asked):
        yield Http(made, url, asked)


def test_an_answer_becomes_values(tasks: Http) -> None:
    found = tasks.run("/json", query={"q": "a&b", "n": 3})
    assert found.values == {
        "status": 200, "bytes": 44, "content_type": "application/json",
        "body": {"data": {"a/b": [1, {"n": 7}]}, "ok": True},
    }  # fmt: skip
    assert tasks.asked[0]["path"] == "/json?q=a%26b&n=3"


def test_named_values_are_taken_and_the_rest_stays_apart(tasks: Http) -> None:
    found = tasks.run("/json", values_from={"n": "/data/a~1b/1/n", "ok": "/ok"})
    ref = found.values.pop("body_ref")
    assert found.values == {
        "status": 200, "bytes": 44, "content_type": "application/json", "n": 7, "ok": True,
    }  # fmt: skip
    with tasks.bench.db.read() as session:
        assert json.loads(blobs.get(session, "ws_1", ref).content)["ok"] is True
    code, message, _ = tasks.fails("/json", values_from={"n": "/data/none"})
    assert (code, message) == ("contract_broken", "The answer has nothing at '/data/none'.")


def test_bodies_of_other_kinds(tasks: Http) -> None:
    assert tasks.run("/text").values["body"] == "hello"
    binary = tasks.run("/binary").values
    assert "body" not in binary
    with tasks.bench.db.read() as session:
        assert blobs.get(session, "ws_1", binary["body_ref"]).content == b"\x89PNG"
    assert tasks.fails("/text", values_from={"n": "/n"})[1] == "The answer is no JSON."


def test_a_large_answer_travels_by_reference(tasks: Http) -> None:
    found = tasks.run("/large")
    assert found.ref is not None
    assert (found.values["status"], "body" in found.values) == (200, False)
    code, message, _ = tasks.fails("/large", max_bytes=1000)
    assert (code, message) == ("invalid_input", "The answer has more than 1000 bytes.")


def test_an_answer_that_unpacks_to_much_more_is_broken_off(tasks: Http) -> None:
    assert tasks.fails("/bomb")[1] == "The answer has more than 10485760 bytes."


def test_secrets_reach_the_server_and_no_error(tasks: Http) -> None:
    root = root_key(Settings(database_url=tasks.bench.db.url))
    with tasks.bench.db.write() as session:
        secrets.save(session, "ws_1", "crm", "hunter2-canary", root)
    headers = {"Authorization": "Bearer {{ secrets.crm }}", "X-Run": "{{ params.day }}"}
    names = {"params": {"day": "{{ secrets.crm }}"}, "run": {}, "tasks": {}}
    output = tasks.run("/json", names, headers=headers)
    sent = tasks.asked[0]["headers"]
    assert sent["Authorization"] == "Bearer hunter2-canary"
    assert sent["X-Run"] == "{{ secrets.crm }}"
    assert "canary" not in output.model_dump_json()
    failed = tasks.fails("/404", headers=headers | {"X-Run": "x"})
    assert failed[0] == "request_refused"
    assert "canary" not in str(failed)
    assert tasks.fails("/json", headers={"A": "{{ secrets.none }}"})[0] == "not_found"


def test_statuses_fail_for_good_or_for_now(tasks: Http) -> None:
    refused = tasks.bench.refused(tasks.serve, tasks.given("/404"))
    assert (refused.type, refused.non_retryable) == ("request_refused", True)
    assert refused.message == "127.0.0.1 answered 404 to GET."
    later = tasks.bench.refused(tasks.serve, tasks.given("/503"))
    assert (later.type, later.non_retryable) == ("unavailable", False)
    assert later.next_retry_delay is not None
    assert later.next_retry_delay.total_seconds() == 7
    assert tasks.run("/404", expected_status=[404]).values["status"] == 404


def test_a_post_carries_json_and_a_key_that_names_it(tasks: Http) -> None:
    tasks.run("/json", method="POST", body={"n": [1]})
    sent = tasks.asked[0]
    assert (sent["body"], sent["headers"]["Content-Type"]) == ('{"n": [1]}', "application/json")
    assert sent["headers"]["Idempotency-Key"].endswith("/task/1")


def test_a_slow_answer_ends_in_its_time_and_when_cancelled(tasks: Http) -> None:
    code, message, _ = tasks.fails("/slow", timeout_seconds=0.5)
    assert (code, message) == ("unavailable", "127.0.0.1 took longer than 0.5 s.")
    environment, ended = ActivityEnvironment(), list[BaseException]()
    context = RunContext(run_id="run_1", workspace_id="ws_1", actor=SYSTEM_ID)
    call = TaskCall(context=context, task_key="task", input=tasks.given("/slow"))

    def attempt() -> None:
        try:
            environment.run(tasks.serve, call)
        except BaseException as end:
            ended.append(end)

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while len(tasks.asked) < 2:
        assert time.monotonic() < deadline
    environment.cancel()
    thread.join(60)
    assert [type(end) for end in ended] == [CancelledError]


def test_nobody_who_may_not_use_secrets_gets_one_sent(tasks: Http) -> None:
    given = tasks.given("/json", headers={"A": "{{ secrets.crm }}"})
    assert tasks.bench.refused(tasks.serve, given, actor="usr_nobody").type == "forbidden"
    assert tasks.asked == []


FORBIDDEN = [
    "http://127.0.0.1:{port}/", "http://localhost:{port}/", "http://[::1]:{port}/",
    "http://0.0.0.0:{port}/", "http://2130706433:{port}/", "http://0177.0.0.1:{port}/",
    "http://127.1:{port}/", "http://[::ffff:127.0.0.1]:{port}/", "http://[64:ff9b::7f00:1]/",
    "http://169.254.169.254/latest/meta-data/", "http://10.0.0.1/", "http://192.168.1.1/",
    "http://172.16.0.1/", "http://[fd00::1]/", "http://[fe80::1]/", "http://100.64.0.1/",
    "http://[2002:7f00:1::]/",
]  # fmt: skip


@pytest.mark.parametrize("url", FORBIDDEN)
def test_addresses_of_no_public_server_are_refused(sqlite_db: Database, url: str) -> None:
    with bench(sqlite_db) as made, served() as (at, asked):
        given = {"url": url.format(port=at.rsplit(":", 1)[1]), "headers": {}}
        failure = made.refused(HttpTasks(made.attempts).run, given)
        octal = "0177" in url  # no URL at all to the library
        assert failure.type == ("invalid_input" if octal else "source_fault")
        assert octal or "RACINE_REQUEST_HOSTS" in failure.details[0]["next_step"]
        assert asked == []


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "ftp://example.org/", "http://user:pass@example.org/", "http:///x"],
)
def test_what_is_no_plain_http_url_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput):
        checked_url(url)


def test_a_redirect_is_judged_like_the_first_address(tasks: Http) -> None:
    assert tasks.run("/to/" + tasks.url + "/text").values["body"] == "hello"
    code, message, _ = tasks.fails("/to/http://169.254.169.254/latest")
    assert (code, "169.254.169.254" in message) == ("source_fault", True)
    assert tasks.fails("/to/file:///etc/passwd")[0] == "invalid_input"
    assert tasks.fails("/to/" + tasks.url + "/to/x", method="POST")[0] == "request_refused"


def test_a_redirect_to_another_server_takes_no_secret_along(tasks: Http) -> None:
    with served() as (other, asked):
        tasks.run("/to/" + other + "/text", headers={"X-Key": "abc", "Accept": "text/plain"})
    assert "X-Key" not in asked[0]["headers"]
    assert asked[0]["headers"]["Accept"] == "text/plain"


def test_the_connection_goes_to_the_address_that_was_judged() -> None:
    """A name that resolves to a public address once and to this machine the next time."""

    class Rebound(Boundary):
        asked = 0

        def addresses(self, host: str, port: int) -> list[str]:
            type(self).asked += 1
            if type(self).asked > 1:
                raise AssertionError("the name was resolved a second time")
            return super().addresses("127.0.0.1", port)

    with served() as (url, asked):
        name = url.replace("127.0.0.1", "rebound.example.org")
        reply = asyncio.run(send(Request("GET", checked_url(f"{name}/text")), Rebound(), 100))
    assert reply.content == b"hello"
    assert asked[0]["headers"]["Host"].startswith("rebound.example.org:")
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("rebound.example.org", 80)


def test_every_address_of_a_name_is_judged() -> None:
    inside = Boundary(loopback=False, private=False)
    with pytest.raises(SourceFault, match="this machine itself"):
        inside.addresses("localhost", 80)
    opened = Boundary(loopback=False, private=False, opened=["localhost"])
    assert set(opened.addresses("localhost", 80)) <= {"127.0.0.1", "::1"}
