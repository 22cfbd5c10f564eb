"""Records the histories of replay tests, from a real server: `python -m tests.temporal.record`.

Run it after adding a kind of run; a history already recorded stays, so that every interpreter
since replays it. `--anew NAME` replaces one, which only a new plan version justifies.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from temporalio.client import (
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowUpdateFailedError,
)
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from models.messages import ControlCall
from models.schema import upgrade
from models.session import Database
from models.stores import pools, rule_sets, sources
from racine import templates
from racine.errors import Conflict
from services import controls, repairs
from services.controls import Action
from services.repairs import Wish
from tests.activities.governing import Governing
from tests.conftest import Temporal
from tests.temporal.conftest import IMPATIENT, Stack, run_workers, workspace
from tests.temporal.test_assisted_classification import BAND, PEOPLE, answer, person, waiting
from tests.temporal.test_governance_run import make_shop
from tools.temporal.binary import temporal_binary
from tools.temporal.dev_server import SETTINGS

FOLDER = Path(__file__).parent / "histories"
Play = Callable[[Stack, WorkflowHandle[Any, Any]], None]


def _echo(key: str, *upstream: str, **more: Any) -> dict[str, Any]:
    edges = [{"task_key": up} for up in upstream]
    spec = {"operation": "racine.noop", "input": {"value": 1}}
    return {"task_key": key, "operation_task": spec, "depends_on": edges, **more}


def _chain(length: int, name: str = "t") -> list[dict[str, Any]]:
    return [_echo(f"{name}{n}", *([f"{name}{n - 1}"] if n else [])) for n in range(length)]


def _nothing(stack: Stack, handle: WorkflowHandle[Any, Any]) -> None:
    return


def _pause_and_resume(stack: Stack, handle: WorkflowHandle[Any, Any]) -> None:
    order = ControlCall(actor="usr_system")
    for verb in ("pause", "resume"):
        stack.temporal.run(handle.execute_update(verb, order))


def _cancel(stack: Stack, handle: WorkflowHandle[Any, Any]) -> None:
    stack.temporal.run(handle.execute_update("cancel", ControlCall(actor="usr_system")))


def _signal(stack: Stack, handle: WorkflowHandle[Any, Any]) -> None:
    given = {"name": "landed", "payload": {"rows": 1}}
    call = ControlCall(actor="usr_system", arguments=given)
    stack.temporal.run(handle.execute_update("signal", call))


def _until_taken(stack: Stack, handle: WorkflowHandle[Any, Any], verb: str, task: str) -> None:
    """Give an order about a task again until it is at a place where that makes sense."""
    call = ControlCall(actor="usr_system", task_key=task)
    for _ in range(200):
        with suppress(WorkflowUpdateFailedError):
            stack.temporal.run(handle.execute_update(verb, call))
            return
        time.sleep(0.05)
    raise RuntimeError(f"{verb} {task} was never taken")


def _approve_and_settle(stack: Stack, handle: WorkflowHandle[Any, Any]) -> None:
    _until_taken(stack, handle, "approve", "ask")
    for verb in ("retry", "skip"):
        _until_taken(stack, handle, verb, "bad")


def _repair(stack: Stack, handle: WorkflowHandle[Any, Any]) -> None:
    run_id, wish = handle.id.split("/")[1], Wish(tasks=["bad"], parameters={"n": 1})
    for _ in range(200):
        with suppress(Conflict):
            with stack.db.write() as session:
                _, order = repairs.record_open(session, stack.actor, run_id, wish)
            stack.temporal.run(controls.deliver(stack.db, stack.temporal.client, order))
            break
        time.sleep(0.05)
    _until_taken(stack, handle, "approve", "ask")


def _approve_once_continued(stack: Stack, handle: WorkflowHandle[Any, Any]) -> None:
    stack.wait_for(lambda _: len(stack.histories(handle.id)) > 1 or None)
    _until_taken(stack, handle, "approve", "ask")


def _fails(key: str, *upstream: str, **more: Any) -> dict[str, Any]:
    spec = {"operation": "racine.noop", "input": {"value": "{{ 1 / 0 }}"}}
    return {**_echo(key, *upstream, **more), "operation_task": spec}


_BROKEN = {"operation": "scan_logic.scan", "input": {"scan_id": "{{ 'scn_none' }}"}}
_BRANCH = {"task_key": "gate", "condition_task": {"expression": "tasks.a.values.value > 0"},
           "depends_on": [{"task_key": "a"}]}  # fmt: skip

RUNS: dict[str, tuple[dict[str, Any], dict[str, Any], Play]] = {
    "chain": ({"tasks": _chain(10)}, {}, _nothing),
    "shown_at_close": ({"tasks": _chain(3)}, {}, _nothing),
    "fan_out": ({"tasks": [_echo(f"t{n}") for n in range(40)]}, {}, _nothing),
    "control": ({"tasks": _chain(20)}, {}, _pause_and_resume),
    "cancel": ({"tasks": _chain(20)}, {}, _cancel),
    "orders_last": ({"tasks": _chain(20)}, {}, _cancel),
    "timeout": ({"tasks": _chain(100), "timeout_seconds": 0.3}, {}, _nothing),
    "failure": (
        {"tasks": [
            {"task_key": "scan", "operation_task": _BROKEN},
            _echo("undo", "scan", run_if="AT_LEAST_ONE_FAILED"),
            _echo("skipped", "scan"),
        ]},
        {}, _nothing,
    ),
    "loops": (
        {"tasks": [
            {"task_key": "small", "for_each_task": {"inputs": [1, 2, 3], "tasks": [
                _echo("a"), _echo("b", "a"),
            ]}},
            {"task_key": "large", "for_each_task": {
                "inputs": list(range(230)), "batch_size": 2, "tasks": [_echo("c")],
            }},
            {"task_key": "route", "switch_task": {"on": "x", "cases": ["x", "y"]}},
        ], "finally": [_echo("clean")]},
        {}, _nothing,
    ),
    "pools": (
        {"tasks": [
            *(_echo(f"t{n}", pool="shared") for n in range(4)),
            {"task_key": "each", "for_each_task": {"inputs": [1, 2, 3], "tasks": [
                _echo("a", pool="shared"),
            ]}},
            {"task_key": "large", "for_each_task": {"inputs": list(range(110)), "tasks": [
                _echo("b", pool="shared"),
            ]}},
        ]},
        {}, _nothing,
    ),
    "pools_cancelled": (
        {"tasks": [_echo(f"t{n}", pool="shared") for n in range(40)]}, {}, _cancel,
    ),
    "effects": (
        {"parameters": [{"name": "source"}], "tasks": [
            {"task_key": "rows", "outputs": {"properties": {"n": {"type": "integer"}}},
             "sql_task": {"source": "{{ params.source }}", "statement": "SELECT count(*) AS n"
                          " FROM customers WHERE id > :least", "parameters": {"least": 1}}},
            {"task_key": "send", "http_task": {"method": "POST", "url": "http://127.0.0.1:1/",
                                               "body": {"n": "{{ tasks.rows.values.n }}"}},
             "depends_on": [{"task_key": "rows"}]},
            {"task_key": "gate", "quality_task": {
                "source": "{{ params.source }}", "on_fail": "CONTINUE",
                "checks": [{"metric": "ROW_COUNT", "op": "GREATER_THAN", "value": 0}]}},
            {"task_key": "tell", "notify_task": {"subject": "{{ tasks.rows.values.n }} rows"},
             "depends_on": [{"task_key": "send"}], "run_if": "ALL_DONE", "priority": 1},
            {"task_key": "each", "for_each_task": {
                "inputs": {"source": "{{ params.source }}", "sql": "SELECT id FROM customers"},
                "batch_size": 20, "tasks": [_echo("c")]}},
        ]},
        {"source": "shop"}, _nothing,
    ),
    "health": (
        {"tasks": [{"task_key": "wait", "wait_task": {"duration_seconds": 0.6}}, _echo("a")],
         "health": {"deadline": "07:00", "timezone_id": "Europe/Berlin", "rules": [
             {"metric": "RUN_DURATION_SECONDS", "value": 0.1},
             {"metric": "TASK_DURATION_SECONDS", "value": 0.2, "task_key": "wait"},
             {"metric": "TASK_DURATION_SECONDS", "value": 60}]}},
        {}, _nothing,
    ),
    "health_ends": (
        {"tasks": [{"task_key": "wait", "wait_task": {"duration_seconds": 60}}],
         "health": {"rules": [{"metric": "RUN_DURATION_SECONDS", "value": 0.2}],
                    "on_breach": "fail"},
         "finally": [_echo("clean")]},
        {}, _nothing,
    ),
    "branch": (
        {"tasks": [
            _echo("a"), _BRANCH,
            {**_echo("yes"), "depends_on": [{"task_key": "gate", "outcome": "true"}]},
            {**_echo("no"), "depends_on": [{"task_key": "gate", "outcome": "false"}]},
        ]},
        {}, _nothing,
    ),
    "joins": (
        {"tasks": [
            _echo("a"), {"task_key": "slow", "wait_task": {"duration_seconds": 0.5}},
            _echo("any", "a", "slow", join="any"), _echo("no", "a", condition="false"),
        ]},
        {}, _nothing,
    ),
    "fail_fast": (
        {"failure_policy": "FAIL_FAST", "tasks": [
            _fails("bad"), {"task_key": "long", "wait_task": {"duration_seconds": 999}},
        ]},
        {}, _nothing,
    ),
    "rounds": (
        {"tasks": [
            {"task_key": "poll", "while_task": {
                "condition": "iteration < 3", "delay_seconds": 0.01, "tasks": [_echo("a")],
                "collect": "{{ iteration }}",
            }},
            {"task_key": "each", "for_each_task": {
                "inputs": [1, 2], "item": "n", "tasks": [_echo("b")],
                "collect": "{{ [n, tasks.b.values.value] }}",
            }},
            {"task_key": "many", "for_each_task": {
                "inputs": list(range(230)), "tasks": [_echo("c")], "collect": "{{ item }}",
            }},
        ]},
        {}, _nothing,
    ),
    "rules": (
        {"tasks": [
            _fails("x", retry_rules=[
                {"when": "attempt < 3", "action": "RETRY", "delay_seconds": 0.01},
                {"action": "SKIP"},
            ]),
            _echo("y", "x"),
        ]},
        {}, _nothing,
    ),
    "compensation": (
        {"tasks": [
            _echo("a", compensate_with=_echo("undo_a")),
            _echo("b", "a", compensate_with=[_echo("undo_b"), _echo("undo_b_too", "undo_b")]),
            _fails("x", "b"),
        ], "finally": [_echo("last")]},
        {}, _nothing,
    ),
    "undone_loops": (
        {"tasks": [
            {"task_key": "few", "for_each_task": {"inputs": [1, 2], "tasks": [
                _echo("a", compensate_with=_echo("undo_a")),
            ]}},
            {"task_key": "again", "while_task": {"condition": "iteration < 1", "tasks": [
                _echo("b", compensate_with=_echo("undo_b")),
            ]}},
            {"task_key": "apart", "for_each_task": {"inputs": [1, 2], "tasks": [
                _echo("c", compensate_with=_echo("undo_c")),
                {"task_key": "inner", "for_each_task": {"inputs": [1], "tasks": [_echo("d")]}},
            ]}},
            _fails("x", "few", "again", "apart"),
        ]},
        {}, _nothing,
    ),
    "ends": (
        {"failure_policy": "HOLD", "tasks": [
            {"task_key": "ask", "approval_task": {"self_approval": True}},
            {"task_key": "sleep", "wait_task": {"duration_seconds": 0.2}},
            {"task_key": "each", "for_each_task": {"inputs": [1, 2], "tasks": [
                {"task_key": "w", "wait_task": {"duration_seconds": 0.1}}]}},
            {"task_key": "many", "for_each_task": {"inputs": list(range(101)), "tasks": [
                {"task_key": "v", "wait_task": {"duration_seconds": 0.1}}]}},
            {"task_key": "done", "noop_task": {}, "depends_on": [{"task_key": "each"}]},
            _fails("bad", "ask", retry_policy={"maximum_attempts": 1}),
        ]},
        {}, _approve_and_settle,
    ),
    "signal": (
        {"tasks": [{"task_key": "w", "wait_task": {"signal": "landed"}}, _echo("x", "w")]},
        {}, _signal,
    ),
    "orders": (
        {"failure_policy": "HOLD", "tasks": [
            {"task_key": "ask", "approval_task": {"self_approval": True}},
            _fails("bad", "ask", retry_policy={"maximum_attempts": 1}), _echo("last", "bad"),
        ]},
        {}, _approve_and_settle,
    ),
    "repaired": (
        {"failure_policy": "HOLD", "parameters": [{"name": "n"}], "tasks": [
            _echo("good"), {"task_key": "ask", "approval_task": {"self_approval": True}},
            {**_echo("bad", "good", retry_policy={"maximum_attempts": 1}),
             "operation_task": {"operation": "racine.noop",
                                "input": {"value": "{{ 1 / params.n }}"}}},
            _echo("last", "bad", "ask"),
        ]},
        {"n": 0}, _repair,
    ),
    "python": (
        {"tasks": [
            {"task_key": "double", "python_task": {"callable": "recorded:double",
                                                   "parameters": {"n": 2}},
             "outputs": {"properties": {"n": {"type": "integer"}}}},
            {"task_key": "each", "depends_on": [{"task_key": "double"}], "for_each_task": {
                "inputs": [1, 2], "collect": "{{ tasks.more.values.n }}", "tasks": [
                    {"task_key": "more", "python_task": {
                        "callable": "recorded:double",
                        "parameters": {"n": "{{ item * tasks.double.values.n }}"}}}]}},
            {"task_key": "wrong", "retry_rules": [{"when": "attempt < 2", "action": "RETRY"}],
             "retry_policy": {"maximum_attempts": 1},
             "python_task": {"callable": "recorded:double", "parameters": {"n": "x"}}},
            _echo("off", disabled=True),
            _echo("two", "double", "each", "wrong", join="n_of", join_count=2,
                  run_if="ALL_DONE"),
        ]},
        {}, _nothing,
    ),
    "run_job": (
        {"tasks": [
            {"task_key": "go", "run_job_task": {"job": "callee"}},
            {"task_key": "let", "run_job_task": {"job": "callee", "wait": False}},
        ]},
        {}, _nothing,
    ),
}  # fmt: skip


_PART, _TIMES = 1_900, 30
_ASK = {"task_key": "ask", "approval_task": {"self_approval": True}}


def _weighty(name: str, *upstream: str) -> list[dict[str, Any]]:
    """Tasks whose values, 57 KB each, are never in the history, and one that reads them all."""
    keys = [f"{name}_w{n}" for n in range(12)]
    large = [
        {"task_key": key, "while_task": {
            "condition": "false", "collect": "{{ params.part }}" * _TIMES,
            "tasks": [{"task_key": f"{key}_n", "noop_task": {}}]}}
        for key in keys
    ]  # fmt: skip
    sizes = ", ".join(f"tasks.{key}.values.result" for key in keys)
    last = {"task_key": f"{name}_last", "noop_task": {},
            "depends_on": [{"task_key": up} for up in (*keys, f"{name}24", *upstream)],
            "condition": f"[{sizes}].all(value, size(value) == {_PART * _TIMES})"}  # fmt: skip
    return [*large, *_chain(25, name), last]


CONTINUED: dict[str, tuple[dict[str, Any], dict[str, Any], Play]] = {
    "continued": (
        {"tasks": [
            *_chain(25), _ASK, {"task_key": "sleep", "wait_task": {"duration_seconds": 3}},
            {"task_key": "each", "for_each_task": {"inputs": list(range(101)), "concurrency": 5,
                                                   "tasks": [_echo("a")], "collect": "{{ item }}"}},
            _echo("last", "t24", "ask", "sleep", "each"),
        ]},
        {}, _approve_once_continued,
    ),
    "carried": (
        {"parameters": [{"name": "part"}], "tasks": [
            *_weighty("t", "ask"), _ASK,
            {"task_key": "each", "for_each_task": {"inputs": [1], "tasks": _weighty("u")}},
        ]},
        {"part": "x" * _PART}, _approve_once_continued,
    ),
}  # fmt: skip
"""Runs, and loops in them, that continue as new, with what they hold and by reference to it."""

Given = tuple[dict[str, Any], Play]


def _govern(stack: Stack, folder: Path) -> Given:
    shop = folder / "shop.db"
    make_shop(shop)
    return {"name": "shop", "kind": "sqlite", "location": str(shop)}, _nothing


def _plan(stack: Stack, folder: Path) -> Given:
    return {"source_id": _register(stack, "planned", folder / "planned.db")}, _nothing


def _scan(stack: Stack, folder: Path) -> Given:
    """A scan by a plan, in a window and within a budget."""
    rules = {"plan": {"mode": "watermark", "watermark": "id"}, "source_budget": {"rows": 60},
             "window": {"start": "00:00", "end": "00:00"}}  # fmt: skip
    with stack.db.write() as session:
        rule_set = rule_sets.save(session, "ws_1", "windowed", rules, "usr_system").id
    source_id = _register(stack, "scanned", folder / "scanned.db")
    return {"source_id": source_id, "rule_set_id": rule_set, "mode": "changed"}, _nothing


def _assist(stack: Stack, folder: Path) -> Given:
    governed = Governing(stack.db, folder / "people.db")
    governed.govern(PEOPLE)
    return {"source_id": governed.source_id, **BAND}, _approve


def _approve(stack: Stack, handle: WorkflowHandle[Any, Any]) -> None:
    """Answer as a person: nobody else's word makes verdicts."""
    run_id, ada = handle.id.split("/")[1], person(stack, ["*:*"])
    waiting(stack, run_id)
    answer(stack, run_id, ada, Action.APPROVE, {})


TEMPLATES: dict[str, Callable[[Stack, Path], Given]] = {
    "governance_run": _govern,
    "plan_source": _plan,
    "scan_source": _scan,
    "assisted_classification": _assist,
}


def record(stack: Stack, name: str, folder: Path) -> str:
    """Run the job of that name and return its history as JSON."""
    if name in TEMPLATES:
        document = templates.load(name)
        parameters, play = TEMPLATES[name](stack, folder)
    else:
        body, parameters, play = RUNS[name]
        if "source" in parameters:
            _register(stack, parameters["source"], folder / f"{name}.db")
        document = {"name": name, **body}
    with stack.db.write() as session:
        pools.put(session, "ws_1", "shared", slots=1)
    if name == "run_job":
        stack.save({"name": "callee", **RUNS["chain"][0]})
    run_id = stack.start(stack.save(document), **parameters)
    handle = stack.temporal.client.get_workflow_handle(f"{name}/{run_id}")
    play(stack, handle)
    with suppress(WorkflowFailureError):
        stack.result(run_id)
    return stack.temporal.run(handle.fetch_history()).to_json()


def record_continued(stack: Stack, name: str) -> dict[str, str]:
    """Run the job of that name and return the first two histories of it and of its loop."""
    body, parameters, play = CONTINUED[name]
    run_id = stack.start(stack.save({"name": name, **body}), **parameters)
    play(stack, stack.temporal.client.get_workflow_handle(f"{name}/{run_id}"))
    stack.result(run_id)
    found = {"": f"{name}/{run_id}", "_loop": f"{name}/{run_id}/each[0]"}
    return {
        f"{name}{what}_{number}": history.to_json()
        for what, workflow_id in found.items()
        for number, history in enumerate(stack.histories(workflow_id)[:2], 1)
    }


def _register(stack: Stack, name: str, path: Path) -> str:
    make_shop(path)
    with stack.db.write() as session:
        return sources.register(session, "ws_1", name=name, kind="sqlite", location=str(path)).id


def _compact(history: str) -> str:
    """Write a history in one line, without stack traces: they name the machine's folders."""
    kept = json.loads(history, object_pairs_hook=_without_trace)
    return json.dumps(kept, separators=(",", ":")) + "\n"


def _without_trace(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return {key: value for key, value in pairs if key != "stackTrace"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--anew", nargs="*", default=[])
    anew = parser.parse_args().anew
    FOLDER.mkdir(exist_ok=True)
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    wanted = [name for name in (*TEMPLATES, *RUNS)
              if name in anew or not (FOLDER / f"{name}.json").exists()]  # fmt: skip
    if wanted:
        with serving(loop, SETTINGS) as (stack, folder):
            for name in wanted:
                _keep(name, record(stack, name, folder))
    wanted = [name for name in CONTINUED
              if name in anew or not (FOLDER / f"{name}_1.json").exists()]  # fmt: skip
    if wanted:
        with serving(loop, IMPATIENT) as (stack, _):
            for name in wanted:
                for part, history in record_continued(stack, name).items():
                    _keep(part, history)


def _keep(name: str, history: str) -> None:
    (FOLDER / f"{name}.json").write_text(_compact(history))
    sys.stdout.write(f"recorded {name}\n")


@contextmanager
def serving(
    loop: asyncio.AbstractEventLoop, settings: Sequence[str]
) -> Iterator[tuple[Stack, Path]]:
    """Start a server with these settings, and workers over a database in a folder of its own."""
    starting = WorkflowEnvironment.start_local(
        dev_server_existing_path=str(temporal_binary()),
        dev_server_extra_args=settings,
        data_converter=pydantic_data_converter,
    )
    server = asyncio.run_coroutine_threadsafe(starting, loop).result(60)
    temporal = Temporal(server.client, "", loop)
    with tempfile.TemporaryDirectory() as folder:
        db = Database(f"sqlite:///{folder}/racine.db")
        upgrade(db)
        stack = workspace(db, temporal)
        (Path(folder) / "recorded.py").write_text("def double(n):\n    return {'n': 2 * int(n)}\n")
        with run_workers(stack, [Path(folder)]):
            yield stack, Path(folder)
        db.close()
    temporal.run(server.shutdown())


if __name__ == "__main__":
    main()
