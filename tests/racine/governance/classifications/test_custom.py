"""Classifiers of users' own, from YAML, a word list and Python."""

from collections import Counter

import pytest

from racine.errors import InvalidInput
from racine.governance.classifications import custom, trying
from racine.governance.classifications.catalogue import classifiers
from racine.governance.classifications.deciding import decide
from racine.governance.classifications.evidence import ColumnEvidence, TableEvidence
from racine.governance.classifications.gathering import accepts, gather
from racine.governance.classifications.measuring import chance_rates, collisions

BADGE = """
- id: badge
  name: Staff badge
  sensitivity: internal
  headers: [badge, badge number]
  pattern: "B-[0-9]{4}-[KLM]"
  examples: {match: [B-1204-K], reject: [B-12-K]}
"""


def test_a_pattern_in_yaml_finds_its_column() -> None:
    (badge,) = custom.from_yaml(BADGE)
    values = Counter(f"B-{n}-K" for n in range(1000, 1040))
    evidence = gather(values, using=(*classifiers(), badge))
    column = ColumnEvidence(name="badge_number", evidence=evidence)
    (verdict,) = decide(TableEvidence(columns=(column,)), own=(badge,))
    assert [found.id for found in verdict.classifications] == ["badge"]
    assert verdict.sensitivity == "internal"


def test_a_word_list_ignores_case_and_accents() -> None:
    sizes = custom.from_words("size", ["Größe S", "Größe M"])
    assert accepts(sizes, "grosse s")
    assert not accepts(sizes, "XL")


def test_a_python_function_is_asked_about_each_value() -> None:
    keyword = custom.from_function("keyword", "keyword:iskeyword")
    assert accepts(keyword, "lambda")
    assert not accepts(keyword, "anna")


def test_the_chance_rate_and_collisions_are_known_before_saving() -> None:
    (nine,) = custom.from_yaml(
        "- id: nine\n  pattern: '[0-9]{9}'\n  examples: {match: ['123456789']}\n"
    )
    assert chance_rates(nine, 50) == {"9 digits": 1.0, "same shape": 1.0}
    routing = next(entry for entry in classifiers() if entry.id == "us_routing_number")
    met = [(c.accepting, c.other) for c in collisions([nine, routing])]
    assert met == [("nine", "us_routing_number")]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("- id: x\n  pattern: '(?=a)b'", "not a RE2 expression"),
        (f"- id: x\n  pattern: '{'a' * 501}'", "longer than 500"),
        ("- name: x", "needs an id"),
        ("- id: email", "built in"),
        ("- id: x\n  colour: red", "colour is not known"),
        ("- id: x\n  sensitivity: secret", "unknown sensitivity"),
        ("- id: x\n  examples: [B-1]", "Examples are two lists"),
        ("- id: x\n  examples: {match: B-1}", "Examples are two lists"),
        ("- id: x\n  examples: {match: [{badge: B-1}]}", "lists the values of each"),
        ("- [", "not YAML"),
    ],
)
def test_an_entry_that_cannot_be_used_is_refused_with_its_reason(text: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        custom.from_yaml(text)


def test_a_missing_function_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match="no_such_module:f"):
        custom.from_function("x", "no_such_module:f")


def test_a_type_told_by_its_header_is_proved_on_columns() -> None:
    declared = """
- id: locker
  headers: [locker]
  examples: {match: [{Locker: ['12', '40']}], reject: [{lock_state: [open, shut]}]}
"""
    assert trying.report(custom.from_yaml(declared)).failures == []
    wrong = custom.from_yaml(declared.replace("lock_state", "locker"))
    assert trying.report(wrong).failures == ["locker takes the column locker for its own"]
