"""Ordered rules by which a task's failure is tried again, skipped, or held for a person."""

from collections.abc import Iterator
from enum import StrEnum

from pydantic import Field

from racine.definitions.parts import Part
from racine.errors import Fault, InvalidInput
from racine.expression_types import CONDITION, Names
from racine.expressions import check
from racine.json_shapes import shape_of

NAMES = ("error", "attempt")
"""What a rule may name: `error.code`, `.type`, `.message`, `.retryable`, and the attempt from 1."""
ERROR_FIELDS = ("code", "type", "message", "retryable")
_TYPES = Names(
    NAMES,
    {
        "attempt": shape_of({"type": "integer"}),
        "error.retryable": shape_of({"type": "boolean"}),
        **{f"error.{name}": shape_of({"type": "string"}) for name in ERROR_FIELDS[:3]},
    },
)


class RuleAction(StrEnum):
    RETRY = "RETRY"
    FAIL = "FAIL"
    SKIP = "SKIP"
    """End as excluded: it does not count against those after it."""
    HOLD = "HOLD"
    """Wait until a person retries it, skips it or gives its result, whatever the job's policy."""


class RetryRule(Part):
    """What happens after a failed attempt for which its condition holds; the first such rule wins.

    Where none does, the task's retry policy decides.
    """

    when: str = "true"
    """CEL over `error` and `attempt`."""
    action: RuleAction
    delay_seconds: float = Field(default=1, ge=0, le=86_400)
    """Of RETRY: before the first attempt that this rule asks for."""
    backoff_coefficient: float = Field(default=1, ge=1, le=100)
    maximum_attempts: int = Field(default=3, ge=1, le=1000)
    """Of RETRY: attempts in all, after which the task fails."""


def rule_faults(rules: list[RetryRule], pointer: str) -> Iterator[Fault]:
    """Yield what is wrong with the conditions of a task's rules, and those that are never asked."""
    always = next((n for n, rule in enumerate(rules) if rule.when.strip() == "true"), len(rules))
    for number, rule in enumerate(rules):
        if number > always:
            yield Fault(f"{pointer}/{number}", f"Rule {always + 1} holds for every failure, so this"
                        f" one is never asked.", f"Move {pointer}/{always} to the end.",
                        "never_asked")  # fmt: skip
        place = f"{pointer}/{number}/when"
        try:
            found = check(rule.when, NAMES)
        except InvalidInput as fault:
            yield Fault(place, fault.message, "A rule names error and attempt.", "expression")
            continue
        yield from _TYPES.faults(rule.when, place, _TYPES.declared, CONDITION)
        for path in (reference.path for reference in found):
            if path[0] == "error" and len(path) > 1 and path[1] not in ERROR_FIELDS:
                yield Fault(place, f"An error has no {path[1]!r}.",
                            f"It has {', '.join(ERROR_FIELDS)}.", "unknown_name")  # fmt: skip
