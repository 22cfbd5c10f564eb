"""What every shipped operation must tell of itself."""

import re
from typing import Any

import pytest

from racine import platform, registry
from racine.group import Operation

OPERATIONS = [*platform.OPERATIONS, *(op for group in registry.groups() for op in group.operations)]


@pytest.mark.parametrize("op", OPERATIONS, ids=lambda op: op.name)
def test_an_operation_shows_an_input_that_fits(op: Operation[Any, Any]) -> None:
    assert op.example
    op.input.model_validate(op.example)


@pytest.mark.parametrize("op", OPERATIONS, ids=lambda op: op.name)
def test_an_operation_says_in_a_sentence_what_it_does(op: Operation[Any, Any]) -> None:
    assert re.fullmatch(r"[A-Z].*\.", op.summary)


def test_the_seven_groups_are_found() -> None:
    assert {group.name for group in registry.groups()} == {
        "catalog",
        "classifications",
        "compliance",
        "data_sources",
        "rbac",
        "scan_logic",
        "scan_rule_sets",
    }
