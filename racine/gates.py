"""Judges the checks of a gate over what a scan has found of its assets.

What cannot be measured is `unknown` and never counts as held, like a control without its fact.
"""

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from racine.definitions.kinds.quality import CONTEXTS, Check, Comparison, Metric
from racine.errors import InvalidInput
from racine.expressions import evaluate
from racine.governance.scan_rule_sets.patterns import Selection

SEVERITIES = ("low", "medium", "high", "critical")

Facts = Mapping[str, Any]
"""One asset: `name`, `rows`, `null_share`, `age_seconds`, `compliance`, `findings` (by severity)
and `columns`, each by name with `null_share`, `uniqueness`, `compliance`, `findings`, `type` and
the numbers of its profile. What was not measured is None."""

_COMPARE: dict[Comparison, Callable[[Any, Any], bool]] = {
    Comparison.EQUAL_TO: operator.eq,
    Comparison.NOT_EQUAL: operator.ne,
    Comparison.GREATER_THAN: operator.gt,
    Comparison.GREATER_THAN_OR_EQUAL: operator.ge,
    Comparison.LESS_THAN: operator.lt,
    Comparison.LESS_THAN_OR_EQUAL: operator.le,
}


@dataclass(frozen=True)
class Outcome:
    """How one check stands for one asset."""

    check: str
    asset: str
    state: str
    """`passed`, `failed` or `unknown`."""
    severity: str
    measured: Any
    expected: str
    message: str = ""


@dataclass(frozen=True)
class Judgement:
    outcomes: tuple[Outcome, ...]

    @property
    def passed(self) -> bool:
        return not self.count("error")

    def count(self, severity: str) -> int:
        """Return how many checks of that severity do not hold."""
        return sum(o.state != "passed" and o.severity == severity for o in self.outcomes)

    def told(self, limit: int) -> list[dict[str, Any]]:
        """Return the outcomes as JSON, at most so many, first those that do not hold."""
        ordered = sorted(self.outcomes, key=lambda o: o.state == "passed")
        return [asdict(outcome) for outcome in ordered[:limit]]


def judge(checks: Sequence[Check], assets: Sequence[Facts]) -> Judgement:
    """Judge every check for every asset that its pattern takes in."""
    return Judgement(tuple(found for check in checks for found in _outcomes(check, assets)))


def _outcomes(check: Check, assets: Sequence[Facts]) -> Iterator[Outcome]:
    selection = Selection([check.asset], [])
    meant = [asset for asset in assets if selection.explain(asset["name"]).included]
    if not meant:
        yield _unknown(check, check.asset, "No asset of the scan matches.")
    for asset in meant:
        yield _by_expression(check, asset) if check.expression else _by_metric(check, asset)


def _by_metric(check: Check, asset: Facts) -> Outcome:
    facts = asset
    if check.column is not None:
        if check.column not in asset["columns"]:
            return _unknown(check, asset["name"], f"It has no column {check.column!r}.")
        facts = asset["columns"][check.column]
    measured = _measured(check, facts)
    if measured is None:
        return _unknown(check, asset["name"], "The scan did not measure it.")
    try:
        holds = _COMPARE[check.op](measured, check.value)
    except TypeError:
        message = f"{measured!r} cannot be compared with {check.value!r}."
        return _unknown(check, asset["name"], message, measured)
    return _outcome(check, asset["name"], holds, measured)


def _measured(check: Check, facts: Facts) -> Any:
    if check.metric is Metric.FINDINGS:
        found = facts["findings"]
        counted = SEVERITIES[SEVERITIES.index(check.at_least) :]
        return None if found is None else sum(found.get(name, 0) for name in counted)
    return facts[_FACTS[Metric(check.metric or "")]]


_FACTS = {
    Metric.ROW_COUNT: "rows",
    Metric.NULL_SHARE: "null_share",
    Metric.UNIQUENESS: "uniqueness",
    Metric.FRESHNESS_SECONDS: "age_seconds",
    Metric.COMPLIANCE: "compliance",
}


def _by_expression(check: Check, asset: Facts) -> Outcome:
    try:
        value = evaluate(check.expression or "", {"asset": asset}, CONTEXTS)
    except InvalidInput as fault:
        return _unknown(check, asset["name"], fault.message)
    if not isinstance(value, bool):
        return _unknown(check, asset["name"], "The expression gave no boolean.", value)
    return _outcome(check, asset["name"], value, value)


def _outcome(check: Check, asset: str, holds: bool, measured: Any) -> Outcome:
    state = "passed" if holds else "failed"
    return Outcome(_name(check), asset, state, check.severity, measured, _expected(check))


def _unknown(check: Check, asset: str, message: str, measured: Any = None) -> Outcome:
    return Outcome(
        _name(check), asset, "unknown", check.severity, measured, _expected(check), message
    )


def _name(check: Check) -> str:
    what = check.expression or str(check.metric)
    return check.name or (f"{what} of {check.column}" if check.column else what)


def _expected(check: Check) -> str:
    return "true" if check.expression else f"{check.op} {check.value}"
