"""Patterns of rule sets."""

import pytest

from racine.errors import InvalidInput
from racine.governance.scan_rule_sets.patterns import Selection, qualified


@pytest.mark.parametrize(
    ("include", "exclude", "name", "included", "decided"),
    [
        (["**"], [], "a b/c d.csv", True, "**"),
        (["**"], ["logs/"], "logs/2020/a.csv", False, "logs/"),
        (["**"], ["*.tmp", "!keep.tmp"], "keep.tmp", True, "**"),
        (["public.*"], [], "PUBLIC.Users", True, "public.*"),
        (["hr/*.csv"], [], "hr/old/a.csv", False, None),
        (["hr/**/*.csv"], [], "hr/old/a.csv", True, "hr/**/*.csv"),
        (["**", "!secret*"], [], "secret_plans", False, "!secret*"),
    ],
)
def test_the_last_matching_pattern_decides(
    include: list[str], exclude: list[str], name: str, included: bool, decided: str | None
) -> None:
    found = Selection(include, exclude).explain(name)
    assert (found.included, found.pattern) == (included, decided)
    assert decided is None or repr(decided) in found.reason


@pytest.mark.parametrize("patterns", [[""], ["  "], ["# comment"], ["a"] * 501])
def test_patterns_that_say_nothing_are_refused(patterns: list[str]) -> None:
    with pytest.raises(InvalidInput):
        Selection(patterns, [])


def test_parts_with_dots_are_quoted() -> None:
    assert qualified("public", "users") == "public.users"
    assert qualified("a.b", 'c"d') == '"a.b"."c""d"'
