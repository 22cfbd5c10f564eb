"""Types of expressions: told when a document is saved, by what is declared of what they read."""

from typing import Any

import pytest

from racine.definitions.validation import examine
from racine.errors import Fault
from racine.expressions import evaluate, is_true

SCHEMA = {
    "type": "object",
    "required": ["count", "share", "name", "tables", "owner", "note", "late"],
    "properties": {
        "count": {"type": "integer"},
        "share": {"type": "number"},
        "name": {"type": "string"},
        "good": {"type": "boolean"},
        "note": {"type": ["string", "null"]},
        "late": {"$ref": "#/$defs/maybe"},
        "tables": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"name": {"type": "string"}, "rows": {"type": "integer"}},
            },
        },
        "names": {"type": "array", "items": {"type": "string"}},
        "owner": {
            "type": "object",
            "properties": {
                "email": {"type": "string"},
                "age": {"type": "integer"},
                "more": {"type": "object"},
            },
        },
        "any": {},
    },
    "$defs": {"maybe": {"anyOf": [{"type": "integer"}, {"type": "null"}]}},
}
VALUES = {
    "count": 3, "share": 2.5, "name": "n", "good": True, "note": None, "late": None,
    "tables": [{"name": "t", "rows": 1}], "names": ["a"], "any": 7,
    "owner": {"email": "a@b", "age": 4, "more": {"x": 1}},
}  # fmt: skip


def source(**more: Any) -> dict[str, Any]:
    return {"task_key": "a", "python_task": {"callable": "m:f"}, "outputs": SCHEMA, **more}


def reader(expression: str, **more: Any) -> dict[str, Any]:
    given = {"callable": "m:f", "parameters": {"x": f"{{{{ {expression} }}}}"}}
    return {"task_key": "b", "python_task": given, "depends_on": [{"task_key": "a"}], **more}


def told(*tasks: dict[str, Any], **more: Any) -> list[Fault]:
    return examine({"name": "j", "tasks": list(tasks), **more}).faults


@pytest.mark.parametrize(
    ("expression", "says", "step"),
    [
        ('tasks.a.values.count > "x"', "> does not go with integer and string", "count is integer"),
        ("tasks.a.values.count + 1.5", "+ does not go with integer and number", "count is integer"),
        ("tasks.a.values.name + 1", "+ does not go with string and integer", "name is string"),
        ('tasks.a.values.share > "x"', "> does not go with number and string", "share is number"),
        ("tasks.a.values.name && true", "&& does not go with string and boolean", "name is string"),
        ("!tasks.a.values.name", "! does not go with string", "name is string"),
        ("tasks.a.values.name.first", "string has no fields", "name is string"),
        ("tasks.a.values.names.first", "array has no fields", "names is array"),
        ("1 in tasks.a.values.names", "in does not go with integer and array", "names is array"),
        ("tasks.a.values.names[0] == 1", "== does not go with string and integer", "array"),
        ("tasks.a.values.note > 1", "> does not go with string or null and integer", "or null"),
        ("tasks.a.values.late + 'x'", "+ does not go with integer or null and string", "or null"),
        ("tasks.a.values.owner.age == 'x'", "== does not go with integer and string", "owner.age"),
        ("tasks.a.state == 1", "== does not go with string and integer", "state is string"),
        ("run.id + 1", "+ does not go with string and integer", "run.id is string"),
        ("tasks.a.values.count ? 1 : 2", "? : does not go with integer", "count is integer"),
        ("tasks.a.values.names.map(n, n + 1)", "+ does not go with string and integer", "array"),
        ("params.limit.startsWith('x')", "startsWith does not go with integer", "params.limit"),
        ("params.cap + 'x'", "+ does not go with integer or null and string", "or null"),
    ],
)
def test_types_that_do_not_go_together_are_refused(expression: str, says: str, step: str) -> None:
    parameters = [
        {"name": "limit", "schema": {"type": "integer"}, "required": True},
        {"name": "cap", "schema": {"type": "integer"}},
    ]
    (fault,) = told(source(), reader(expression), parameters=parameters)
    assert (fault.pointer, fault.code) == ("/tasks/1/python_task/parameters/x", "types")
    assert says in fault.message
    assert expression in fault.message
    assert step in fault.next_step


@pytest.mark.parametrize(
    "expression",
    [
        "tasks.a.values.count > 1.5",
        "tasks.a.values.share > 1 && tasks.a.values.share < 2.75",
        "tasks.a.values.share == 1 || tasks.a.values.share == 2.5",
        "tasks.a.values.count == 3 && tasks.a.values.share > tasks.a.values.count - 1",
        "tasks.a.values.share in [1, 2]",
        "tasks.a.values.note == null",
        "tasks.a.values.count == null",
        "tasks.a.values.count > 1 ? tasks.a.values.count : 'none'",
        "tasks.a.values.any > 1",
        "tasks.a.values.owner.more.x == 1",
        "tasks.a.values.tables[0].rows > 0",
        "tasks.a.values.tables.map(t, t.name)",
        "has(tasks.a.values.count) && tasks.a.values.count > 1",
        "has(tasks.a.values.owner.age) ? tasks.a.values.owner.age : 0",
        "size(tasks.a.values) > 1",
        "[tasks.a.values.count, tasks.a.values.name]",
        "string(tasks.a.values.count) + tasks.a.values.name",
    ],
)
def test_what_can_be_evaluated_is_taken(expression: str) -> None:
    assert told(source(), reader(expression)) == []
    evaluate(expression, {"tasks": {"a": {"values": VALUES, "state": "succeeded"}}})


def test_one_expression_with_has_does_not_loosen_the_others() -> None:
    lenient = reader("has(tasks.a.values.count) && tasks.a.values.count > 'x'")
    strict = {**reader("tasks.a.values.count > 'x'"), "task_key": "c"}
    (fault,) = told(source(), lenient, strict)
    assert fault.pointer == "/tasks/2/python_task/parameters/x"


@pytest.mark.parametrize(
    ("expression", "code", "step"),
    [
        ("tasks.a.values.cuont > 1", "undeclared_output", "'count'"),
        ("tasks.a.values.owner.emial", "undeclared_field", "'email'"),
        ("tasks.a.values.tables[0].nmae", None, ""),
        ("params.settings.dpeth", "undeclared_field", "'depth'"),
        ("params.open.anything", None, ""),
    ],
)
def test_a_misspelt_field_is_refused_where_fields_are_declared(
    expression: str, code: str | None, step: str
) -> None:
    depth = {"type": "object", "properties": {"depth": {"type": "integer"}}}
    parameters = [
        {"name": "settings", "schema": depth, "required": True},
        {"name": "open", "schema": {**depth, "additionalProperties": True}, "required": True},
    ]
    found = told(source(), reader(expression), parameters=parameters)
    assert [fault.code for fault in found] == ([code] if code else [])
    assert all(step in fault.next_step for fault in found)


def test_an_operation_declares_what_it_gives() -> None:
    scan = {
        "task_key": "a",
        "operation_task": {"operation": "scan_logic.scan", "input": {"scan_id": "scan_1"}},
    }
    (fault,) = told(scan, reader("tasks.a.values.assets + 'x'"))
    assert fault.code == "types"
    assert "tasks.a.values.assets is integer" in fault.next_step


@pytest.mark.parametrize(
    ("task", "pointer"),
    [
        ({"condition": "tasks.a.values.count", "noop_task": {}}, "/tasks/1/condition"),
        ({"condition": "1 + 1", "noop_task": {}}, "/tasks/1/condition"),
        (
            {"condition_task": {"expression": "tasks.a.values.name"}},
            "/tasks/1/condition_task/expression",
        ),
        (
            {
                "while_task": {
                    "condition": "tasks.c.values.status",
                    "tasks": [{"task_key": "c", "http_task": {"url": "https://example.com"}}],
                }
            },
            "/tasks/1/while_task/condition",
        ),
        (
            {
                "for_each_task": {
                    "inputs": "{{ tasks.a.values.count }}",
                    "tasks": [{"task_key": "c", "noop_task": {}}],
                }
            },
            "/tasks/1/for_each_task/inputs",
        ),
    ],
)
def test_what_is_no_condition_and_what_is_no_list_is_refused(
    task: dict[str, Any], pointer: str
) -> None:
    (fault,) = told(source(), {"task_key": "b", "depends_on": [{"task_key": "a"}], **task})
    assert (fault.pointer, fault.code) == (pointer, "types")
    assert fault.next_step


@pytest.mark.parametrize(
    ("inputs", "expression", "code"),
    [
        ("{{ tasks.a.values.tables }}", "item.rows + 'x'", "types"),
        ("{{ tasks.a.values.tables }}", "table.rows + 'x'", "types"),
        ("{{ tasks.a.values.tables }}", "item.nmae", "undeclared_field"),
        ("{{ tasks.a.values.tables }}", "item.name + string(item_index)", None),
        ("{{ tasks.a.values.names }}", "item + 1", "types"),
        (["x", "y"], "item + 1", "types"),
        (["x", 2], "item + 1", None),
        ([{"name": "x"}, {"name": "y"}], "item.nmae", "undeclared_field"),
        (["{{ params.n }}", "y"], "item + 1", None),
    ],
)
def test_items_are_what_the_loop_walks_over(inputs: Any, expression: str, code: str | None) -> None:
    body = {"callable": "m:f", "parameters": {"x": f"{{{{ {expression} }}}}"}}
    loop = {
        "task_key": "b",
        "depends_on": [{"task_key": "a"}],
        "for_each_task": {
            "inputs": inputs,
            "item": "table",
            "tasks": [{"task_key": "c", "python_task": body}],
        },
    }
    found = told(source(), loop, parameters=[{"name": "n"}])
    assert [fault.code for fault in found] == ([code] if code else [])


def test_two_loops_may_call_different_things_by_one_name() -> None:
    def loop(key: str, inputs: list[Any], expression: str) -> dict[str, Any]:
        body = {"callable": "m:f", "parameters": {"x": f"{{{{ {expression} }}}}"}}
        tasks = [{"task_key": f"{key}_in", "python_task": body}]
        return {"task_key": key, "for_each_task": {"inputs": inputs, "tasks": tasks}}

    assert told(loop("a", [1], "item + 1"), loop("b", ["x"], "item + 'x'")) == []


def test_a_retry_rule_is_judged_by_the_types_of_an_error() -> None:
    rules = [
        {"when": "error.code > 3", "action": "FAIL"},
        {"when": "attempt", "action": "FAIL"},
        {"when": "error.retryable && attempt < 3", "action": "RETRY"},
    ]
    found = told({"task_key": "a", "python_task": {"callable": "m:f"}, "retry_rules": rules})
    assert [(fault.pointer, fault.code) for fault in found] == [
        ("/tasks/0/retry_rules/0/when", "types"),
        ("/tasks/0/retry_rules/1/when", "types"),
    ]


def test_all_faults_of_types_are_told_at_once() -> None:
    found = told(source(), reader("tasks.a.values.name + 1 > tasks.a.values.count"),
                 {**reader("tasks.a.values.count + 'x'"), "task_key": "c"})  # fmt: skip
    assert [fault.pointer for fault in found] == [
        "/tasks/1/python_task/parameters/x",
        "/tasks/2/python_task/parameters/x",
    ]


def test_what_is_undeclared_stays_open() -> None:
    task = {"task_key": "a", "python_task": {"callable": "m:f"}}
    assert told(task, reader("tasks.a.values.whatever.deep > 'x'")) == []
    assert is_true("tasks.a.values.x > 1", {"tasks": {"a": {"values": {"x": 2}}}})


def test_an_output_that_need_not_be_there_is_hinted_at() -> None:
    report = examine({"name": "j", "tasks": [source(), reader("tasks.a.values.good")]})
    assert report.faults == []
    (hint,) = report.hints
    assert "do not require it" in hint.message
    assert "has(tasks.a.values.good)" in hint.next_step
    asked = reader("has(tasks.a.values.good) ? tasks.a.values.good : false")
    assert examine({"name": "j", "tasks": [source(), asked]}).hints == []


def monitoring(**more: Any) -> dict[str, Any]:
    given = {"name": "m", "cron": "0 6 * * *", **more}
    spec = {"operation": "scan_logic.schedule_monitoring", "input": given}
    return {"task_key": "b", "operation_task": spec, "depends_on": [{"task_key": "a"}]}


@pytest.mark.parametrize(
    ("field", "value", "says", "step"),
    [
        ("jitter_seconds", "1{{ tasks.a.values.count }}",
         "'1{{ tasks.a.values.count }}' gives string, and"
         " scan_logic.schedule_monitoring takes integer here.",
         "Make the whole of it one template, {{ … }}, which keeps its type."),
        ("parameters", "all of {{ tasks.a.values.owner }}",
         "'all of {{ tasks.a.values.owner }}' gives string, and"
         " scan_logic.schedule_monitoring takes null or object here.",
         "Make the whole of it one template, {{ … }}, which keeps its type."),
        ("name", "{{ tasks.a.values.count }}",
         "'tasks.a.values.count' gives integer, and"
         " scan_logic.schedule_monitoring takes string here.",
         "Take what fits, or convert: int(), double(), string()."),
        ("jitter_seconds", "{{ tasks.a.values.name }}",
         "'tasks.a.values.name' gives string, and"
         " scan_logic.schedule_monitoring takes integer here.",
         "Take what fits, or convert: int(), double(), string()."),
    ],
)  # fmt: skip
def test_what_an_operation_does_not_take_is_refused(
    field: str, value: str, says: str, step: str
) -> None:
    (fault,) = told(source(), monitoring(**{field: value}))
    assert fault == Fault(f"/tasks/1/operation_task/input/{field}", says, step, "types")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "{{ tasks.a.values.name }}"),
        ("name", "nightly {{ tasks.a.values.count }}"),
        ("overlap", "{{ tasks.a.values.name }}_all"),
        ("jitter_seconds", "{{ tasks.a.values.count }}"),
        ("jitter_seconds", "{{ tasks.a.values.share }}"),
        ("jitter_seconds", "{{ int(tasks.a.values.name) }}"),
        ("jitter_seconds", "{{ tasks.a.values.late }}"),
        ("parameters", "{{ tasks.a.values.owner }}"),
        ("parameters", {"any": "{{ tasks.a.values.count }}", "text": "x{{ params.n }}"}),
        ("source_id", "{{ tasks.a.values.any }}"),
    ],
)
def test_what_an_operation_may_take_is_taken(field: str, value: Any) -> None:
    assert told(source(), monitoring(**{field: value}), parameters=[{"name": "n"}]) == []


def test_items_of_a_list_are_judged_one_by_one() -> None:
    spec = {"operation": "compliance.validate", "input": {
        "scan_id": "s", "frameworks": ["gdpr", "{{ tasks.a.values.count }}"]}}  # fmt: skip
    task = {"task_key": "b", "operation_task": spec, "depends_on": [{"task_key": "a"}]}
    (fault,) = told(source(), task)
    assert (fault.pointer, fault.code) == (
        "/tasks/1/operation_task/input/frameworks/1", "types",
    )  # fmt: skip


def test_a_field_that_an_operation_does_not_know_is_refused_whatever_it_holds() -> None:
    (fault,) = told(source(), monitoring(jitter="{{ tasks.a.values.count }}"))
    assert fault.pointer == "/tasks/1/operation_task/input/jitter"
    assert fault.code == "extra_forbidden"


@pytest.mark.parametrize(
    ("work", "pointer", "takes"),
    [
        ({"wait_task": {"until": "{{ tasks.a.values.count }}"}}, "wait_task/until", "string"),
        ({"http_task": {"url": "{{ tasks.a.values.count }}"}}, "http_task/url", "string"),
        ({"http_task": {"url": "http://x", "headers": {"X": "{{ tasks.a.values.count }}"}}},
         "http_task/headers/X", "string"),
        ({"notify_task": {"subject": "s", "body": "{{ tasks.a.values.tables }}"}},
         "notify_task/body", "string"),
        ({"sql_task": {"source": "{{ tasks.a.values.good }}", "statement": "SELECT 1"}},
         "sql_task/source", "string"),
        ({"quality_task": {"source": "{{ tasks.a.values.share }}", "checks": [
            {"metric": "ROW_COUNT", "op": "GREATER_THAN", "value": 0}]}},
         "quality_task/source", "string"),
    ],
)  # fmt: skip
def test_what_another_kind_does_not_take_is_refused(
    work: dict[str, Any], pointer: str, takes: str
) -> None:
    (fault,) = told(source(), {"task_key": "b", "depends_on": [{"task_key": "a"}], **work})
    assert (fault.pointer, fault.code) == (f"/tasks/1/{pointer}", "types")
    assert takes in fault.message


@pytest.mark.parametrize(
    "work",
    [
        {"wait_task": {"until": "{{ tasks.a.values.name }}"}},
        {"wait_task": {"until": "{{ tasks.a.values.name }}T00:00:00Z"}},
        {"http_task": {"url": "http://x/{{ tasks.a.values.count }}", "method": "POST",
                       "query": {"n": "{{ tasks.a.values.name }}"},
                       "body": {"n": "{{ tasks.a.values.count }}"}}},
        {"notify_task": {"subject": "{{ tasks.a.values.count }} rows"}},
        {"sql_task": {"source": "s", "statement": "SELECT :n",
                      "parameters": {"n": "{{ tasks.a.values.count }}"}}},
        {"switch_task": {"on": "{{ tasks.a.values.count }}", "cases": ["3"]}},
        {"approval_task": {"prompt": "{{ tasks.a.values.count }}"}},
    ],
)  # fmt: skip
def test_what_another_kind_may_take_is_taken(work: dict[str, Any]) -> None:
    assert told(source(), {"task_key": "b", "depends_on": [{"task_key": "a"}], **work}) == []


@pytest.mark.parametrize(
    ("work", "outputs", "pointer"),
    [
        ({"python_task": {"callable": "m:f"}}, {"type": "array"}, "type"),
        ({"python_task": {"callable": "m:f"}}, {"type": ["string", "null"]}, "type"),
        ({"noop_task": {}}, {"properties": {"x": {}}}, "properties/x"),
        ({"condition_task": {"expression": "true"}}, {"properties": {"result": {}}},
         "properties/result"),
        ({"wait_task": {"duration_seconds": 1}}, {"properties": {"payload": {}}},
         "properties/payload"),
        ({"for_each_task": {"inputs": [1], "tasks": [{"task_key": "c", "noop_task": {}}]}},
         {"properties": {"results": {}}}, "properties/results"),
        ({"operation_task": {"operation": "scan_logic.scan", "input": {"scan_id": "s"}}},
         {"properties": {"nothing": {}}}, "properties/nothing"),
        ({"http_task": {"url": "http://x", "values_from": {"n": "/n"}}},
         {"properties": {"m": {}}}, "properties/m"),
    ],
)  # fmt: skip
def test_outputs_that_a_task_never_gives_are_refused(
    work: dict[str, Any], outputs: dict[str, Any], pointer: str
) -> None:
    (fault,) = told({"task_key": "a", "outputs": outputs, **work})
    assert (fault.pointer, fault.code) == (f"/tasks/0/outputs/{pointer}", "outputs")
    assert fault.next_step


@pytest.mark.parametrize(
    ("work", "outputs"),
    [
        ({"python_task": {"callable": "m:f"}}, {"type": ["object", "null"]}),
        ({"approval_task": {}}, {"properties": {"form": {"type": "object"}}}),
        ({"wait_task": {"signal": "go"}}, {"properties": {"payload": {"type": "integer"}}}),
        ({"sql_task": {"source": "s", "statement": "SELECT 1 AS n"}}, {"properties": {"n": {}}}),
        ({"http_task": {"url": "http://x"}}, {"properties": {"body": {"type": "object"}}}),
        ({"run_job_task": {"job": "other"}}, {"properties": {"any": {}}}),
    ],
)  # fmt: skip
def test_outputs_that_a_task_may_give_are_taken(
    work: dict[str, Any], outputs: dict[str, Any]
) -> None:
    assert told({"task_key": "a", "outputs": outputs, **work}) == []
