"""Random job documents: `FIELDS` says for every part of a document what each field may hold.

A document is drawn as a tree of levels; edges lead back to tasks that stand before, expressions
read only what is upstream.
"""

from collections.abc import Sequence
from typing import Any, get_args

from hypothesis import strategies as st

from racine.definitions import document as parts

Strategy = st.SearchStrategy[Any]

SECONDS = st.floats(1, 5000, allow_nan=False).map(lambda value: round(value, 3)) | st.integers(
    1, 60
)
TEXT = st.text(max_size=12) | st.sampled_from(
    ["{{ run.id }}", "{{ params.day }} of {{ run.job }}", 'say "so"', "a\nb", "\u202e", "{", "é"]
)
NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT
    | st.floats(-1e9, 1e9, allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
SCHEMA = st.sampled_from(
    [{}, {"type": "string"}, {"type": ["integer", "null"], "minimum": 0},
     {"type": "object", "properties": {"rows": {"type": "integer"}}, "required": ["rows"]}]
)  # fmt: skip
EXPRESSION = st.sampled_from(["true", "params.day == 'a'", "size(run.id) > 1 && !false"])
KEYS = st.from_regex(r"[a-zA-Z_][a-z0-9_]{0,5}", fullmatch=True) | st.sampled_from(
    ["class", "item", "job", "racine", "a", "a_body", "list", "Any"]
)


def _part(kind: type[parts.Part]) -> Strategy:
    return part(kind)


def _check() -> Strategy:
    asked: st.SearchStrategy[dict[str, Any]] = st.sampled_from([
        {"expression": "asset.rows > 0"},
        {"metric": "NULL_SHARE", "column": "a", "value": 0.5},
        {"metric": "ROW_COUNT", "value": "{{ params.day }}"},
    ])  # fmt: skip
    return asked.flatmap(lambda found: part(parts.Check, **found))


UPSTREAM: Strategy = st.nothing()
"""Stands for what depends on the tasks around: `_tasks` draws it."""

FIELDS: dict[type[parts.Part], dict[str, Strategy]] = {
    parts.RetryPolicy: {
        "maximum_attempts": st.integers(1, 9),
        "initial_interval_seconds": st.floats(0.01, 1),
        "backoff_coefficient": st.floats(1, 5),
        "maximum_interval_seconds": st.floats(1, 99),
        "non_retryable_error_types": st.lists(st.sampled_from(["ValueError", "X"]), max_size=2),
    },
    parts.RetryRule: {
        "when": st.just("error.code == 'timeout' && attempt < 3"),
        "action": st.sampled_from([value.value for value in parts.RuleAction]),
        "delay_seconds": st.integers(0, 9),
        "backoff_coefficient": st.floats(1, 5),
        "maximum_attempts": st.integers(1, 9),
    },
    parts.Parameter: {
        "name": NAMES,
        "description": TEXT,
        "default": st.none() | st.just("a"),
        "required": st.booleans(),
        "json_schema": st.just({"type": "string"}),
    },
    parts.Queue: {"enabled": st.booleans(), "timeout_seconds": SECONDS},
    parts.OperationTask: {
        "operation": st.just("racine.noop"),
        "input": st.fixed_dictionaries({"value": JSON.filter(lambda v: v not in ({}, []))}),
    },
    parts.PythonTask: {
        "callable": st.sampled_from(["mine:work", "pack.mine:Job.work"]),
        "parameters": st.dictionaries(NAMES, JSON, max_size=2),
    },
    parts.ConditionTask: {"expression": EXPRESSION},
    parts.SwitchTask: {
        "on": st.sampled_from(["{{ params.day }}", "b"]),
        "cases": st.lists(st.sampled_from("abc"), min_size=1, unique=True),
        "default": st.sampled_from("ax"),
    },
    parts.ForEachTask: {
        "inputs": st.lists(JSON, max_size=3)
        | st.just("{{ [1, 2] }}")
        | st.deferred(lambda: _part(parts.FileItems) | _part(parts.SqlItems)),
        "concurrency": st.integers(1, 100),
        "batch_size": st.integers(1, 9),
        "max_failed_percent": st.integers(0, 100),
        "item": st.just("table"),
        "collect": st.just("{{ item }}"),
        "tasks": UPSTREAM,
    },
    parts.Health: {
        "rules": st.lists(st.deferred(lambda: _part(parts.HealthRule)), max_size=2),
        "deadline": st.just("07:00"),
        "timezone_id": st.just("Europe/Berlin"),
        "on_breach": st.sampled_from([value.value for value in parts.OnBreach]),
    },
    parts.HealthRule: {
        "metric": st.just("RUN_DURATION_SECONDS"),
        "op": st.just("GREATER_THAN"),
        "value": st.integers(1, 99),
        "task_key": st.none(),
        "on_breach": st.sampled_from([value.value for value in parts.OnBreach]),
    },
    parts.WhileTask: {
        "condition": st.just("iteration < 3"),
        "max_iterations": st.integers(1, 9),
        "delay_seconds": SECONDS,
        "on_exhausted": st.sampled_from(["FAIL", "CONTINUE"]),
        "collect": st.just("{{ iteration }}"),
        "tasks": UPSTREAM,
    },
    parts.FileItems: {
        "file": st.just("orders.csv"),
        "source": st.just("shop"),
        "format": st.sampled_from(["csv", "lines"]),
    },
    parts.SqlItems: {
        "sql": st.just("select :a as a"),
        "source": st.just("shop"),
        "parameters": st.just({"a": "{{ params.day }}"}),
        "timeout_seconds": SECONDS,
    },
    parts.WaitTask: {
        "duration_seconds": SECONDS,
        "until": st.sampled_from(["2020-01-01T00:00:00Z", "{{ run.start_time }}"]),
        "signal": st.just("landed"),
        "payload_schema": UPSTREAM,
        "timeout_seconds": UPSTREAM,
        "on_timeout": UPSTREAM,
    },
    parts.ApprovalTask: {
        "prompt": TEXT,
        "approvers": st.lists(st.sampled_from(["role:steward", "usr_1"]), max_size=2, unique=True),
        "required": st.just(1),
        "self_approval": st.booleans(),
        "form": st.just({"type": "object", "properties": {"why": {"type": "string"}}}),
        "timeout_seconds": SECONDS,
        "on_timeout": st.sampled_from([value.value for value in parts.OnTimeout]),
        "on_reject": st.sampled_from(["FAIL", "CONTINUE"]),
    },
    parts.RunJobTask: {
        "job": st.just("publish"),
        "version": st.integers(1, 9) | st.sampled_from(["latest", "pinned"]),
        "wait": st.booleans(),
        "job_parameters": st.dictionaries(NAMES, JSON, max_size=2),
    },
    parts.SqlTask: {
        "source": st.just("shop"),
        "statement": st.just("select 1") | st.just(["select :a as a", "select 2"]),
        "parameters": st.just({"a": 1}),
        "write": st.booleans(),
        "max_rows": st.integers(1, 99),
        "timeout_seconds": st.integers(1, 99),
    },
    parts.HttpTask: {
        "method": st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]),
        "url": st.sampled_from(["https://example.org/a?b=c", "{{ params.day }}"]),
        "headers": st.just({"X-Key": "{{ secrets.hook }}", "Accept": "text/plain"}),
        "query": st.dictionaries(NAMES, JSON, max_size=2),
        "body": JSON,
        "timeout_seconds": st.integers(1, 99),
        "expected_status": st.lists(st.integers(100, 599), max_size=2),
        "values_from": st.just({"total": "/data/0/total"}),
        "max_bytes": st.integers(1, 99),
    },
    parts.Check: {
        "name": TEXT,
        "asset": st.just("sales.*"),
        "column": UPSTREAM,
        "metric": UPSTREAM,
        "op": st.sampled_from([value.value for value in parts.Comparison]),
        "value": UPSTREAM,
        "at_least": st.sampled_from(["low", "critical"]),
        "expression": UPSTREAM,
        "severity": st.sampled_from(["error", "warning"]),
    },
    parts.QualityTask: {
        "source": UPSTREAM,
        "scan_id": UPSTREAM,
        "checks": st.lists(st.deferred(lambda: _check()), min_size=1, max_size=2),
        "on_fail": st.sampled_from(["FAIL", "CONTINUE"]),
    },
    parts.NotifyTask: {
        "subject": TEXT.filter(bool),
        "body": TEXT,
        "severity": st.sampled_from(["info", "warning", "error"]),
    },
    parts.NoopTask: {},
    parts.Dependency: {"task_key": UPSTREAM, "outcome": UPSTREAM},
}
FIELDS[parts.Defaults] = {
    "retry_policy": st.deferred(lambda: _part(parts.RetryPolicy)),
    "start_to_close_timeout_seconds": st.sampled_from([600, 60, 7.5]),
    "schedule_to_close_timeout_seconds": st.just(9000),
    "heartbeat_timeout_seconds": st.just(5),
    "queue_timeout_seconds": SECONDS,
    "task_queue": st.just("gpu"),
}
FIELDS[parts.Task] = {
    "task_key": KEYS,
    "description": TEXT,
    "depends_on": UPSTREAM,
    "run_if": st.sampled_from([value.value for value in parts.RunIf]),
    "join": UPSTREAM,
    "join_count": UPSTREAM,
    "condition": EXPRESSION,
    "outputs": SCHEMA,
    "retry_policy": st.deferred(lambda: _part(parts.RetryPolicy)),
    "retry_rules": st.lists(st.deferred(lambda: _part(parts.RetryRule)), max_size=2).map(
        lambda rules: [{"when": "attempt == 1", **rule} for rule in rules[:-1]] + rules[-1:]
    ),
    "start_to_close_timeout_seconds": st.integers(10, 99),
    "schedule_to_close_timeout_seconds": SECONDS,
    "heartbeat_timeout_seconds": st.floats(1, 9),
    "queue_timeout_seconds": UPSTREAM,
    "task_queue": UPSTREAM,
    "priority": st.integers(1, 5),
    "pool": UPSTREAM,
    "pool_slots": UPSTREAM,
    "inlets": st.lists(st.just("crm.orders"), max_size=1),
    "outlets": st.lists(st.just("lake.orders"), max_size=1),
    "disabled": st.booleans(),
    "compensate_with": UPSTREAM,
    **dict.fromkeys(parts.TASK_KINDS, UPSTREAM),
}
FIELDS[parts.JobDocument] = {
    "spec_version": st.just("1"),
    "name": st.sampled_from(["nightly", "a.b-c", "class", "1st"]),
    "description": TEXT,
    "tags": st.dictionaries(NAMES, TEXT, max_size=2),
    "parameters": UPSTREAM,
    "max_concurrent_runs": st.integers(1, 9),
    "concurrency_key": st.just("{{ params.day }}"),
    "max_concurrent_runs_per_key": st.integers(1, 9),
    "queue": st.deferred(lambda: _part(parts.Queue)),
    "priority": st.integers(1, 5),
    "timeout_seconds": SECONDS,
    "health": st.deferred(lambda: _part(parts.Health)),
    "failure_policy": st.sampled_from([value.value for value in parts.FailurePolicy]),
    "defaults": st.deferred(lambda: _part(parts.Defaults)),
    "tasks": UPSTREAM,
    "on_failure": UPSTREAM,
    "finally_": UPSTREAM,
    "outputs": st.dictionaries(TEXT, JSON, max_size=2),
    "bundle": st.just("0" * 64),
    "ui": st.dictionaries(NAMES, JSON, max_size=1),
}
_REQUIRED: dict[type[parts.Part], set[str]] = {
    parts.Parameter: {"name", "json_schema"},
    parts.JobDocument: {"spec_version", "name"},
    parts.SqlTask: {"parameters"},
    parts.SqlItems: {"parameters"},
}


@st.composite
def part(draw: st.DrawFn, /, kind: type[parts.Part], **given: Any) -> dict[str, Any]:
    """Draw a part as JSON: what it must have, and some of what it may have."""
    found = dict(given)
    for name, info in kind.model_fields.items():
        key, values = info.alias or name, FIELDS[kind][name]
        if key in found or values is UPSTREAM:
            continue
        must = info.is_required() or name in _REQUIRED.get(kind, ())
        if must or draw(st.integers(0, 3)) == 0:
            found[key] = draw(values)
    return found


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a whole document without faults, or nearly: `assume` away the few that have some."""
    keys: set[str] = set()
    day = draw(part(parts.Parameter, name="day"))
    more = draw(st.lists(part(parts.Parameter), max_size=2, unique_by=lambda found: found["name"]))
    found = draw(part(parts.JobDocument))
    found["parameters"] = [day, *(one for one in more if one["name"] != "day")]
    found["tasks"] = draw(_tasks(keys, 4, 2))
    for name in ("on_failure", "finally"):
        if draw(st.integers(0, 2)) == 0:
            found[name] = draw(_tasks(keys, 2, 1))
    return found


@st.composite
def _tasks(draw: st.DrawFn, /, taken: set[str], most: int, depth: int) -> list[dict[str, Any]]:
    tasks: list[dict[str, Any]] = []
    for _ in range(draw(st.integers(1, most))):
        key = draw(KEYS.filter(lambda key: key not in taken))
        taken.add(key)
        tasks.append(draw(_task(key, tasks, taken, depth)))
    return tasks


@st.composite
def _task(
    draw: st.DrawFn, /, key: str, before: Sequence[dict[str, Any]], taken: set[str], depth: int
) -> dict[str, Any]:
    task: dict[str, Any] = draw(part(parts.Task, task_key=key))
    edges = draw(st.lists(st.sampled_from(before), max_size=3, unique_by=id)) if before else []
    if edges:
        task["depends_on"] = [draw(_edge(to)) for to in edges]
        if join := draw(st.sampled_from([None, None, "all", "any", "n_of"])):
            task["join"] = join
        if join == "n_of":
            task["join_count"] = draw(st.integers(1, len(edges)))
    kinds = [kind for kind in parts.TASK_KINDS if depth or kind not in BODIES]
    kind = draw(st.sampled_from(kinds))
    task[kind] = draw(_work(kind, taken, depth))
    if _model_of(kind).POOLED and draw(st.integers(0, 3)) == 0:
        task |= {"queue_timeout_seconds": draw(SECONDS), "task_queue": "gpu"}
    if _model_of(kind).POOLED and draw(st.booleans()):
        task |= {"pool": "warehouse", "pool_slots": draw(st.integers(1, 9))}
    if depth == 2 and draw(st.integers(0, 3)) == 0:
        task["compensate_with"] = draw(_tasks(taken, 2, 0))
    if edges and kind == "operation_task" and "input" in task[kind]:
        task[kind]["input"]["value"] = f"{{{{ tasks.{edges[0]['task_key']}.state }}}}"
    return task


@st.composite
def _edge(draw: st.DrawFn, /, to: dict[str, Any]) -> dict[str, Any]:
    outcomes = parts.Task.model_validate(to).works[0].outcomes()
    if outcomes and draw(st.booleans()):
        return {"task_key": to["task_key"], "outcome": draw(st.sampled_from(outcomes))}
    return {"task_key": to["task_key"]}


BODIES = ("for_each_task", "while_task")
"""Kinds with tasks inside."""


@st.composite
def _work(draw: st.DrawFn, /, kind: str, taken: set[str], depth: int) -> dict[str, Any]:
    top = depth == 2
    found: dict[str, Any] = draw(part(_model_of(kind)))
    if kind in BODIES:
        found["tasks"] = draw(_tasks(taken, 2, depth - 1))
    if kind == "quality_task":
        found |= draw(st.sampled_from([{"source": "shop"}, {"scan_id": "{{ params.day }}"}]))
    if kind == "approval_task" and "on_timeout" in found:
        found["timeout_seconds"] = draw(SECONDS)
    if kind == "wait_task":
        name = draw(st.sampled_from(["duration_seconds", "until", *(["signal"] if top else [])]))
        found = {name: draw(FIELDS[parts.WaitTask][name])}
        if name == "signal":
            found |= {"payload_schema": draw(SCHEMA), "timeout_seconds": draw(SECONDS),
                      "on_timeout": draw(st.sampled_from(["FAIL", "CONTINUE"]))}  # fmt: skip
    return found


def _model_of(kind: str) -> type[parts.TaskKind]:
    found: tuple[type, ...] = get_args(parts.Task.model_fields[kind].annotation)
    return next(one for one in found if issubclass(one, parts.TaskKind))
