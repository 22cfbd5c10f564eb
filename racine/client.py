"""Racine's API for Python programs: deploy jobs, run them, wait, follow, steer."""

import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any
from urllib.parse import quote

import httpx

from racine import bundles, errors
from racine.errors import Fault, RacineError, Unavailable
from racine.ids import new_id

_TIMEOUT = httpx.Timeout(30.0, connect=5.0)
_MEASURING_TIMEOUT = httpx.Timeout(120.0, connect=5.0)
_STREAM_TIMEOUT = httpx.Timeout(60.0, connect=5.0)
"""The server pings every 15 s: a minute of silence means that the connection is dead."""
_RETRIES = 3
_WAIT_SECONDS = 10.0
"""How long one question waits for the end of a run, well under the time limit of requests."""
_PAUSE_SECONDS = 0.5
_ENDED = frozenset({"completed", "failed", "cancelled", "terminated", "timed_out"})
_WORKFLOWS = "/api/racine/workflows"
_BUNDLES = "/api/racine/bundles"
_POOLS = "/api/racine/orchestration/pools"
_CLASSIFIERS = "/api/classifications/classifiers"


@dataclass(frozen=True)
class Event:
    """One line of a run's log."""

    id: int
    task_key: str
    attempt: int
    kind: str
    at: str
    body: dict[str, Any]


class Client:
    """A connection to one Racine server with one API key; use it as a context manager."""

    def __init__(
        self, url: str, api_key: str, *, workspace: str | None = None, verify: bool = True
    ) -> None:
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        if workspace is not None:
            headers["Racine-Workspace"] = workspace
        self._http = httpx.Client(base_url=url, headers=headers, timeout=_TIMEOUT, verify=verify)

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def profile(self) -> dict[str, Any]:
        """Return who the key belongs to, and what it may."""
        return self.get("/api/auth/profile")

    def new_key(self, name: str, permissions: list[str]) -> str:
        """Make an API key with no more than one's own rights; it is shown this once."""
        body = {"name": name, "permissions": permissions}
        return str(self._send("POST", "/api/auth/keys", json=body)["key"])

    def faults(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the server has to say against a document: `valid`, `faults`, `hints`."""
        return self._send("POST", f"{_WORKFLOWS}/validate", json={"document": document})

    def jobs(self) -> Iterator[dict[str, Any]]:
        return self.items(_WORKFLOWS)

    def job(self, name: str) -> dict[str, Any]:
        """Return the job of that name; raise NotFound."""
        found = self.get(_WORKFLOWS, name=name)["items"]
        if not found:
            raise errors.NotFound(
                f"The workspace has no job {name!r}.", next_step="`racine apply FILE` makes one."
            )
        return dict(found[0])

    def document(self, name: str) -> dict[str, Any] | None:
        """Return the latest document of the job of that name; None when there is no such job."""
        found = self.get(_WORKFLOWS, name=name)["items"]
        return dict(self.get(f"{_WORKFLOWS}/{found[0]['id']}")["document"]) if found else None

    def apply(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Make the document the latest version of its job, a new job when there is none.

        Doing it again changes nothing; `changed` tells.
        """
        found = self.get(_WORKFLOWS, name=document["name"])["items"]
        if not found:
            made = self._send("POST", _WORKFLOWS, json={"document": document})
            return made | {"changed": True}
        (job,) = found
        saved = self._send(
            "PUT",
            f"{_WORKFLOWS}/{job['id']}",
            json={"document": document},
            headers={"If-Match": f'"{job["version"]}"'},
        )
        return saved | {"changed": saved["version"] != job["version"]}

    def version(self, job: str, number: int | None = None) -> dict[str, Any]:
        """Return the document of a version of a job, of the latest without a number."""
        found = self.job(job)
        path = f"{_WORKFLOWS}/{found['id']}/versions/{number or found['version']}"
        return dict(self.get(path)["document"])

    def simulate(
        self,
        document: Mapping[str, Any],
        parameters: Mapping[str, Any] | None = None,
        mocks: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return how a run of a document would go where its tasks end as the mocks say."""
        body = {"document": document, "parameters": parameters or {}, "mocks": mocks or {}}
        return self.post(f"{_WORKFLOWS}/simulate", body)

    def estimate(self, job: str, version: int | None = None) -> dict[str, Any]:
        """Return the longest way through a version of a job, the latest without a number."""
        found = self.job(job)
        number = version or found["version"]
        return self.get(f"{_WORKFLOWS}/{found['id']}/versions/{number}/estimate")

    def diff(self, job: str, before: int, after: int) -> list[dict[str, Any]]:
        """Return what version `after` of a job changed of version `before`, by meaning."""
        path = f"{_WORKFLOWS}/{self.job(job)['id']}/versions/{before}/diff/{after}"
        return list(self.get(path)["changes"])

    def put_bundle(self, content: bytes) -> str:
        """Have the server keep a bundle, unless it has it; return its digest."""
        digest = bundles.digest(content)
        if not self.get(_BUNDLES, digest=digest)["items"]:
            headers = {"Content-Type": "application/zip"}
            self._send("POST", _BUNDLES, content=content, headers=headers)
        return digest

    def run(
        self,
        job: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        version: int | None = None,
        key: str | None = None,
        only: Sequence[str] = (),
        begin: Sequence[str] = (),
        until: Sequence[str] = (),
        values_from: str | None = None,
    ) -> str:
        """Start a run of the job of that name and return its id.

        `key` makes it safe to repeat: the same key starts one run. Without one, the client makes
        a key of its own, so that its own retries start one run too. `only`, `begin` and `until`
        choose a part of the tasks; `values_from` is a run whose results stand for the others.
        """
        body: dict[str, Any] = {"parameters": dict(parameters or {}), "version": version}
        body |= {"only": list(only), "from": list(begin), "until": list(until)}
        body["values_from"] = values_from
        path = f"{_WORKFLOWS}/{self.job(job)['id']}/execute"
        headers = {"Idempotency-Key": key or new_id("key")}
        return str(self._send("POST", path, json=body, headers=headers)["id"])

    def runs(
        self,
        *,
        job: str | None = None,
        state: str | None = None,
        trigger: str | None = None,
        since: str | None = None,
        until: str | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Return runs, newest first, page by page as they are asked for."""
        path = f"{_WORKFLOWS}/executions"
        if job is not None:
            path = f"{_WORKFLOWS}/{self.job(job)['id']}/executions"
        return self.items(path, state=state, trigger=trigger, since=since, until=until)

    def run_detail(self, run_id: str) -> dict[str, Any]:
        return self.get(f"{_WORKFLOWS}/executions/{run_id}")

    def status(self, run_id: str, *, wait: float = 0) -> dict[str, Any]:
        """Return how a run stands, as Temporal tells it: at its end, or `wait` seconds later."""
        return self.get(f"{_WORKFLOWS}/executions/{run_id}/status", wait=wait or None)

    def traceback(self, run_id: str, task_key: str) -> str:
        """Return the traceback that a failed task left; raise NotFound where there is none."""
        key = quote(task_key, safe="")
        path = f"{_WORKFLOWS}/executions/{run_id}/tasks/{key}/traceback"
        return self._answer("GET", path).text

    def graph(self, run_id: str) -> dict[str, Any]:
        """Return a run's tasks with their edges, states, attempts, and why each waits."""
        return self.get(f"{_WORKFLOWS}/executions/{run_id}/graph")

    def matrix(self, job: str, runs: int = 25) -> dict[str, Any]:
        """Return the last runs of a job by its tasks."""
        return self.get(f"{_WORKFLOWS}/{self.job(job)['id']}/matrix", runs=runs)

    def failures(self, job: str, runs: int = 100) -> list[dict[str, Any]]:
        """Return what failed in a job's last runs, grouped by likeness."""
        found = self.get(f"{_WORKFLOWS}/{self.job(job)['id']}/failures", runs=runs)
        return list(found["items"])

    def wait(self, run_id: str, *, timeout: float | None = None) -> dict[str, Any]:
        """Return the status of a run once it has ended; raises TimeoutError.

        A server that is away in between is asked again.
        """
        deadline = math.inf if timeout is None else time.monotonic() + timeout
        while True:
            left = max(0.0, deadline - time.monotonic())
            try:
                found = self.status(run_id, wait=min(left, _WAIT_SECONDS))
            except Unavailable:
                found = {"state": "unknown"}
                time.sleep(min(left, _PAUSE_SECONDS))
            if found["state"] in _ENDED:
                return found
            if time.monotonic() >= deadline:
                raise TimeoutError(f"Run {run_id} is {found['state']} after {timeout:g} s.")

    def events(self, run_id: str, *, after: int = 0) -> Iterator[Event]:
        """Yield a run's log as it grows, to its end; a broken connection is taken up again."""
        last, failures = after, 0
        while failures < _RETRIES:
            try:
                for event in self._stream(run_id, last):
                    if event is None:
                        return
                    last, failures = event.id, 0
                    yield event
                failures += 1
            except httpx.TransportError:
                failures += 1
                time.sleep(0.5 * failures)
        raise Unavailable("The log broke off and could not be taken up again.")

    def signal(
        self,
        run_id: str,
        name: str,
        payload: Any = None,
        *,
        reason: str = "",
        request_id: str | None = None,
    ) -> dict[str, Any]:
        """Give a run a signal that one of its tasks waits for; `state` as of `control`."""
        body = {"payload": payload, "reason": reason, "request_id": request_id}
        return self._send("POST", f"{_WORKFLOWS}/executions/{run_id}/signals/{name}", json=body)

    def control(
        self,
        run_id: str,
        action: str,
        *,
        reason: str = "",
        request_id: str | None = None,
        task_key: str | None = None,
        **more: Any,
    ) -> dict[str, Any]:
        """Give a run an order; `state` is `pending` while no worker has answered.

        `retry`, `skip`, `set_result` (`values`), `approve` (`form`), `reject` and `delegate` (`to`)
        are about the task at the path `task_key`, like `per_table[3].clean`; `pause`, `resume` and
        `change` (`input`) may be. `change` of the run takes `parameters`, `cancel` takes `force`.
        """
        body: dict[str, Any] = {"action": action, "reason": reason, "task_key": task_key}
        body["request_id"] = request_id or new_id("req")
        body |= {name: value for name, value in more.items() if value is not None}
        return self._send("POST", f"{_WORKFLOWS}/executions/{run_id}/control", json=body)

    def repair(
        self,
        run_id: str,
        tasks: Sequence[str] = (),
        *,
        dependents: bool = True,
        parameters: Mapping[str, Any] | None = None,
        version: int | str = "pinned",
        reason: str = "",
        dry_run: bool = False,
        key: str | None = None,
    ) -> dict[str, Any]:
        """Run again what failed in a run, or the tasks at these paths; good results are kept.

        `version` is `pinned`, `latest` or a number. With `dry_run`, nothing is done but told:
        `again`, `kept` and `changes` are what would be.
        """
        body = {
            "tasks": list(tasks), "dependents": dependents, "parameters": dict(parameters or {}),
            "version": version, "reason": reason, "dry_run": dry_run,
        }  # fmt: skip
        headers = {} if dry_run else {"Idempotency-Key": key or new_id("key")}
        path = f"{_WORKFLOWS}/executions/{run_id}/repair"
        return self._send("POST", path, json=body, headers=headers)

    def order_many(
        self,
        action: str,
        *,
        job: str | None = None,
        state: str | None = None,
        trigger: str | None = None,
        since: str | None = None,
        until: str | None = None,
        dry_run: bool = False,
        **more: Any,
    ) -> Iterator[dict[str, Any]]:
        """Pause, resume, cancel, terminate or repair all runs that fit; yield page by page.

        A page's `items` tell what became of each; `count` is how many fitted. `more` are `reason`,
        `force` of cancel and `version`, `pinned` or `latest`, of repair. With `dry_run` nothing is
        done but told.
        """
        about = {"job_id": self.job(job)["id"] if job else None, "state": state,
                 "trigger": trigger, "since": since, "until": until}  # fmt: skip
        body = {"action": action, "where": about, "dry_run": dry_run, **more}
        body |= {"request_id": new_id("req"), "cursor": None}
        while True:
            page = self._send("POST", f"{_WORKFLOWS}/executions/control", json=body)
            yield page
            body["cursor"] = page["next_cursor"]
            if body["cursor"] is None:
                return

    def roll_back(self, job: str, to: int | None = None) -> dict[str, Any]:
        """Make an earlier version of a job its next: `to`, or the one before the latest."""
        found = self.job(job)
        if to is None and found["version"] == 1:
            raise errors.Conflict(f"Job {job!r} has one version alone: there is no way back.")
        return self._send(
            "POST",
            f"{_WORKFLOWS}/{found['id']}/rollback",
            json={"version": to or found["version"] - 1},
            headers={"If-Match": f'"{found["version"]}"'},
        )

    def rerun(
        self, run_id: str, begin: Sequence[str], parameters: Mapping[str, Any] | None = None
    ) -> str:
        """Start a new run like an earlier one, from these tasks on, and return its id."""
        body = {"from": list(begin), "parameters": dict(parameters or {})}
        headers = {"Idempotency-Key": new_id("key")}
        path = f"{_WORKFLOWS}/executions/{run_id}/rerun"
        return str(self._send("POST", path, json=body, headers=headers)["id"])

    def schedule(self, job: str, wish: Mapping[str, Any]) -> dict[str, Any]:
        """Let a job run by itself: name, cron and the rest of a schedule."""
        path = f"{_WORKFLOWS}/{self.job(job)['id']}/schedules"
        return self._send("POST", path, json=dict(wish))

    def schedules(self) -> Iterator[dict[str, Any]]:
        return self.items("/api/racine/schedules")

    def pools(self) -> Iterator[dict[str, Any]]:
        return self.items(_POOLS)

    def pool(self, name: str) -> dict[str, Any]:
        """Return a pool with who holds its slots and who waits for them."""
        return self.get(f"{_POOLS}/{name}")

    def set_pool(self, name: str, limits: Mapping[str, Any]) -> dict[str, Any]:
        """Make a pool or change it: `slots`, `tokens_per_second`, `description`."""
        return self._send("PUT", f"{_POOLS}/{name}", json=dict(limits))

    def delete_pool(self, name: str) -> None:
        self._answer("DELETE", f"{_POOLS}/{name}")

    def classifiers(self) -> Iterator[dict[str, Any]]:
        """Yield the workspace's own classifiers."""
        return self.items(_CLASSIFIERS)

    def set_classifier(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """Keep a classifier under its id; the answer tells what it accepts by chance."""
        path = f"{_CLASSIFIERS}/{entry['id']}"
        return self._send("PUT", path, json={"entry": dict(entry)}, timeout=_MEASURING_TIMEOUT)

    def delete_classifier(self, name: str) -> None:
        self._answer("DELETE", f"{_CLASSIFIERS}/{name}")

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """Return the answer of any address that gives an object."""
        given = {name: value for name, value in query.items() if value is not None}
        return self._send("GET", path, params=given)

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer of any address that takes an object."""
        return self._send("POST", path, json=dict(body))

    def items(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Yield the items of any paged list."""
        cursor: str | None = None
        while True:
            page = self.get(path, cursor=cursor, **query)
            yield from page["items"]
            cursor = page.get("next_cursor")
            if cursor is None:
                return

    def _stream(self, run_id: str, last: int) -> Iterator[Event | None]:
        path = f"{_WORKFLOWS}/executions/{run_id}/logs/stream"
        headers = {"Last-Event-ID": str(last), "Accept": "text/event-stream"}
        with self._http.stream("GET", path, headers=headers, timeout=_STREAM_TIMEOUT) as answer:
            if answer.is_error:
                answer.read()
                raise _error(answer)
            kind = "message"
            for line in answer.iter_lines():
                field, _, value = line.partition(": ")
                if field == "event":
                    kind = value
                elif field == "data":
                    yield None if kind == "end" else Event(**json.loads(value))

    def _send(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        return dict(self._answer(method, path, **request).json())

    def _answer(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            answer = self._http.request(method, path, **request)
        except httpx.TransportError as fault:
            raise Unavailable(
                f"{self._http.base_url} does not answer: {fault}.",
                next_step="Check the URL, and that the server runs.",
            ) from fault
        if answer.is_error:
            raise _error(answer)
        return answer


def signed_in(url: str, email: str, password: str) -> str:
    """Return an access token, which a client takes for a while in the place of an API key."""
    with Client(url, "") as client:
        body = {"email": email, "password": password}
        return str(client._send("POST", "/api/auth/login", json=body)["access_token"])


def _error(answer: httpx.Response) -> RacineError:
    """Return the problem that the server told, as the error it was there."""
    try:
        problem = answer.json()
    except ValueError:
        problem = {}
    kind = _KINDS.get(problem.get("code", ""), Unavailable if answer.is_server_error else None)
    faults = [
        Fault(f["pointer"], f["message"], f.get("next_step", ""), f.get("code", "invalid"))
        for f in problem.get("errors", [])
    ]
    return (kind or RacineError)(
        problem.get("detail") or f"The server answered {answer.status_code}.",
        next_step=problem.get("next_step", ""),
        faults=faults,
        details={"status": answer.status_code, "request_id": problem.get("request_id", "")},
    )


def _all_kinds(base: type[RacineError]) -> Iterator[type[RacineError]]:
    for kind in base.__subclasses__():
        yield kind
        yield from _all_kinds(kind)


_KINDS = {kind.code: kind for kind in _all_kinds(RacineError)}
