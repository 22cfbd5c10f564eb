"""Controls: the rules as data, one file of `frameworks/` for each law or standard.

Wording is our own; an id names the paragraph of the law or standard that it follows.
"""

from functools import cache
from importlib.resources import files
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from racine import expressions
from racine.errors import InvalidInput, NotFound
from racine.governance.compliance.facts import VOCABULARY, Level

Severity = Literal["low", "medium", "high", "critical"]

SEVERITY_WEIGHT: dict[str, int] = {"low": 1, "medium": 2, "high": 5, "critical": 10}
"""How much a failure counts in a score: our own scale, printed with every score."""

CONTEXTS = ("fact",)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Remediation(_Part):
    """What makes the subject pass."""

    step: str
    """The instruction to the one who does it."""
    changes: Literal["data", "record", "source"]
    """Whether the data, a record of it, or the source's set-up has to change."""
    role: str
    """Who does it where the subject has no owner."""
    sets: dict[str, Any] = Field(min_length=1)
    """Facts as they read afterwards: a plan tries them out to see which findings would close."""


class Control(_Part):
    """One check: where `scope` holds, `passes` must hold, both CEL over `fact`."""

    id: str
    title: str
    subject: Level
    severity: Severity
    scope: str
    passes: str
    evidence: list[str]
    """The facts that a finding shows: at least those that the conditions read."""
    failure: str
    """What a finding says."""
    remediation: Remediation
    framework: str = ""


class Framework(_Part):
    id: str
    title: str
    source: str
    controls: list[Control]


@cache
def frameworks() -> dict[str, Framework]:
    """Return the shipped frameworks by id; raise InvalidInput where a rule is not sound."""
    folder = files(__package__).joinpath("frameworks")
    texts = sorted((e.name, e.read_text()) for e in folder.iterdir() if e.name.endswith(".yaml"))
    return {found.id: found for found in (_parse(text) for _, text in texts)}


def framework(name: str) -> Framework:
    """Return a framework; raise NotFound for a name that does not ship."""
    try:
        return frameworks()[name]
    except KeyError:
        raise NotFound(
            f"There is no framework {name!r}.", next_step=f"Known: {', '.join(frameworks())}."
        ) from None


def controls(names: list[str]) -> list[Control]:
    """Return the controls of the named frameworks, of all when none is named."""
    return [item for name in names or list(frameworks()) for item in framework(name).controls]


def control(control_id: str) -> Control:
    for item in controls([]):
        if item.id == control_id:
            return item
    raise NotFound(f"There is no control {control_id!r}.", next_step="List the frameworks.")


@cache
def reads(expression: str) -> tuple[str, ...]:
    """Return the facts that a condition reads; raise InvalidInput where it is not sound.

    `has()` and computed names are refused: they would hide that a fact is missing.
    """
    found = expressions.check(expression, CONTEXTS)
    for reference in found:
        if reference.tested or reference.computed or len(reference.path) < 2:
            raise InvalidInput(f"{expression!r} may read facts only as fact.<name>.")
        if reference.path[1] not in VOCABULARY:
            raise InvalidInput(f"{expression!r} reads {reference.path[1]!r}, which is no fact.")
    return tuple(dict.fromkeys(reference.path[1] for reference in found))


def _parse(text: str) -> Framework:
    # Read once and rarely: most processes never parse a rule.
    import yaml

    raw = yaml.safe_load(text)
    for item in raw["controls"]:
        item["framework"] = raw["id"]
    parsed = Framework.model_validate(raw)
    for item in parsed.controls:
        _require_sound(item)
    return parsed


def _require_sound(item: Control) -> None:
    undeclared = {*reads(item.scope), *reads(item.passes)} - set(item.evidence)
    unknown = {*item.evidence, *item.remediation.sets} - set(VOCABULARY)
    if undeclared or unknown:
        raise InvalidInput(f"{item.id}: declare as evidence: {sorted(undeclared | unknown)}.")
