"""Expressions: typed results, bounded work, and no fault that passes for a value."""

import subprocess
import sys
from typing import Any

import pytest

from racine import expressions
from racine.errors import InvalidInput
from racine.expression_tree import Reference


def test_a_whole_template_keeps_its_type_and_text_around_it_makes_a_string() -> None:
    context = {"params": {"n": 3, "on": True}}
    assert expressions.resolve("{{ params.n }}", context) == 3
    assert expressions.resolve("n={{ params.n }} {{ params.on }}", context) == "n=3 true"
    assert expressions.resolve({"a": ["{{ params.n + 1 }}"]}, context) == {"a": [4]}


@pytest.mark.parametrize(
    ("expression", "context", "says"),
    [
        ("params.missing", {"params": {}}, "failed"),
        ("params.n + 1.0", {"params": {"n": 1}}, "overload"),
        ("params.s", {"params": {"s": "a\0b"}}, "NUL"),
        ("params.s", {"params": {"s": "\ud800"}}, "Unicode"),
        ("params.n", {"params": {"n": 2**64}}, "64 bits"),
        ("params.n", {"params": {"n": float("nan")}}, "finite"),
        ("params.n", {"params": {"n": object()}}, "not JSON"),
        ("b'bytes'", {}, "not JSON"),
        ("timestamp('2026-01-01T00:00:00Z')", {}, "not JSON"),
        ("params.m.map(k, k)", {"params": {"m": {"a": 1}}}, "list"),
        ("params.m.exists(k, k == 'a')", {"params": {"m": {"a": 1}}}, "list"),
        ("params.l.map(k, k)", {"params": {"l": [1] * 1001}}, "1000 elements"),
        ("params.l.map(a, params.l.map(b, a))", {"params": {"l": [1] * 1000}}, "budget"),
        ("1 / params.zero", {"params": {"zero": 0}}, "zero"),
    ],
)
def test_a_fault_of_evaluation_is_an_error(
    expression: str, context: dict[str, Any], says: str
) -> None:
    with pytest.raises(InvalidInput, match=says):
        expressions.evaluate(expression, context)


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("1 +", "Syntax error"),
        ("now()", "undeclared reference to 'now'"),
        ("secrets.key", "undeclared"),
        ("x" * 5000, "4096"),
        ("'\ud800'", "not valid CEL"),
    ],
)
def test_a_fault_of_syntax_is_an_error(expression: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        expressions.check(expression)


def test_what_is_not_a_boolean_decides_nothing() -> None:
    with pytest.raises(InvalidInput, match="needs a bool"):
        expressions.is_true("'false'", {})


def test_loops_over_short_lists_work() -> None:
    context = {"params": {"l": list(range(1000))}}
    assert expressions.evaluate("params.l.filter(x, x > 997)", context) == [998, 999]
    assert expressions.evaluate(
        "params.l.all(x, x >= 0) && params.l.exists_one(x, x == 7)", context
    )


def test_references_are_read_from_the_syntax_not_the_text() -> None:
    found = expressions.check(
        "has(tasks.a.values.n) && tasks['b'].state == 'tasks.fake' "
        "&& params.l.exists(tasks_, tasks_.x == run.id) && params.l[params.i] > 0"
    )
    assert found == [
        Reference(("tasks", "a", "values", "n"), tested=True),
        Reference(("tasks", "b", "state")),
        Reference(("params", "l")),
        Reference(("run", "id")),
        Reference(("params", "l"), computed=True),
        Reference(("params", "i")),
    ]


def test_templates_are_found_with_their_place() -> None:
    value = {"a/b": ["x", "{{ params.n }}"], "c": "{{ run.id }}-{{ item }}"}
    assert expressions.located_templates(value) == [
        ("/a~1b/1", "params.n"),
        ("/c", "run.id"),
        ("/c", "item"),
    ]
    assert expressions.broken_templates({"a": ["{{ params.n", "fine {{ x }}"]}) == ["{{ params.n"]


def test_a_result_is_the_same_in_every_process() -> None:
    code = (
        "from racine import expressions as e;"
        "p = {str(n): n for n in range(50)};"
        "print(e.evaluate(\"params.l.map(k, k + '!')\", {'params': {'l': list(p)}}))"
    )
    runs = {
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
        for _ in range(3)
    }
    assert len(runs) == 1


@pytest.mark.parametrize(
    "value", [1, -(2**63), 2**63, 1.5, -0.0, True, None, "ä", [1, [None]], {"a": {"b": []}}]
)
def test_a_mere_path_gives_what_cel_gives(value: Any) -> None:
    names = {"tasks": {"a": {"values": {"x": value}}}}
    walked, by_cel = (
        expressions.evaluate(text, names) for text in ("tasks.a.values.x", "(tasks.a.values.x)")
    )
    assert walked == by_cel
    assert type(walked) is type(by_cel)


@pytest.mark.parametrize("value", [float("nan"), 2**64, "\0", "\ud800"])
def test_a_mere_path_refuses_what_cel_refuses(value: Any) -> None:
    for text in ("tasks.a.values.x", "(tasks.a.values.x)"):
        with pytest.raises(InvalidInput):
            expressions.evaluate(text, {"tasks": {"a": {"values": {"x": value}}}})


@pytest.mark.parametrize("text", ["tasks.a.values", "tasks.a", "has(tasks.a.values.y)"])
def test_what_lies_in_a_blob_is_never_taken_for_missing(text: str) -> None:
    names = {"tasks": {"a": {"values": {"x": 1}, "ref": "blob:1"}}}
    assert expressions.evaluate("tasks.a.values.x + 1", names) == 2
    for expression in (text, f"[{text}]"):
        with pytest.raises(InvalidInput, match="travels by reference"):
            expressions.evaluate(expression, names)


@pytest.mark.parametrize("pattern", ["(", "[", "(?=a)", "a{5000}"])
def test_a_pattern_that_could_never_be_matched_is_refused_when_checked(pattern: str) -> None:
    for text in (
        f"params.x.matches('{pattern}')",
        f"has(params.x) && matches(params.x, '{pattern}')",
    ):
        with pytest.raises(InvalidInput, match="is no regular expression"):
            expressions.check(text)


def test_patterns_that_match_and_those_not_written_out_are_taken() -> None:
    for text in ("params.x.matches('^a+$')", "params.x.matches(params.y)", "params.matches == 1"):
        assert expressions.check(text)
