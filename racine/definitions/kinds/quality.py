"""The gate: conditions on what a scan has found."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, StringConstraints

from racine.definitions.parts import ANYTHING, COUNT, TEXT, Part, TaskKind, Values
from racine.errors import Fault, InvalidInput
from racine.expressions import check as check_expression

CONTEXTS = ("asset",)
"""What a check's expression may name."""


class Metric(StrEnum):
    """What a check measures; of a column where `column` is said, else of the asset."""

    ROW_COUNT = "ROW_COUNT"
    NULL_SHARE = "NULL_SHARE"
    """Empty cells among the cells that were read, 0 to 1."""
    UNIQUENESS = "UNIQUENESS"
    """Distinct values of a column among its filled cells, 0 to 1."""
    FRESHNESS_SECONDS = "FRESHNESS_SECONDS"
    """Time since the asset was last changed where its source tells that, else since its scan."""
    COMPLIANCE = "COMPLIANCE"
    """`pass`, `fail`, `unknown` or `waived`."""
    FINDINGS = "FINDINGS"
    """Open findings of compliance of at least the severity `at_least`."""


OF_COLUMNS = (Metric.NULL_SHARE, Metric.UNIQUENESS, Metric.COMPLIANCE, Metric.FINDINGS)


class Comparison(StrEnum):
    """How what was measured must stand to `value`; the names are Databricks'."""

    EQUAL_TO = "EQUAL_TO"
    NOT_EQUAL = "NOT_EQUAL"
    GREATER_THAN = "GREATER_THAN"
    GREATER_THAN_OR_EQUAL = "GREATER_THAN_OR_EQUAL"
    LESS_THAN = "LESS_THAN"
    LESS_THAN_OR_EQUAL = "LESS_THAN_OR_EQUAL"


class Check(Part):
    """One condition on every asset that a pattern takes in: a metric and its bound, or CEL."""

    name: Annotated[str, StringConstraints(max_length=200)] = ""
    asset: Annotated[str, StringConstraints(min_length=1, max_length=1000)] = "*"
    """Name or pattern, as in rule sets: `orders`, `sales.*`."""
    column: Annotated[str, StringConstraints(max_length=1000)] | None = None
    metric: Metric | None = None
    op: Comparison = Comparison.EQUAL_TO
    value: Any = None
    """A template may give it."""
    at_least: Literal["low", "medium", "high", "critical"] = "low"
    expression: Annotated[str, StringConstraints(max_length=4096)] | None = None
    """CEL: `asset.rows > 0 && asset.columns["email"].null_share < 0.1`."""
    severity: Literal["error", "warning"] = "error"
    """A warning is told and fails nothing."""


class QualityTask(TaskKind):
    """Passes when every check of severity `error` holds; what cannot be measured does not hold."""

    source: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    """Name or id of a source: what its last scan found."""
    scan_id: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    """What this scan found, published or not."""
    checks: list[Check] = Field(min_length=1, max_length=200)
    on_fail: Literal["FAIL", "CONTINUE"] = "FAIL"
    """Whether a gate that does not pass fails, or only ends with the outcome `failed`."""

    PARSED: ClassVar = True
    TEMPLATES: ClassVar = ("source", "scan_id", "checks")
    POOLED: ClassVar = True
    VALUES: ClassVar[Values] = {
        "outcome": TEXT, "passed": COUNT, "failed": COUNT, "warnings": COUNT, "checks": ANYTHING,
    }  # fmt: skip

    def templated(self) -> dict[str, Any]:
        checks = [{"value": check.value} for check in self.checks]
        return {**super().templated(), "checks": checks}

    def outcomes(self) -> list[str]:
        return ["passed", "failed"]

    def asks(self) -> dict[str, str]:
        return {"scan_logic:read": "quality_task", "compliance:read": "quality_task"}

    def faults(self, pointer: str) -> Iterator[Fault]:
        if (self.source is None) == (self.scan_id is None):
            yield Fault(pointer, "A gate looks at a source or at one scan, and at one of both.",
                        "Give source or scan_id.", "quality")  # fmt: skip
        for number, check in enumerate(self.checks):
            yield from _check_faults(check, f"{pointer}/checks/{number}")


def _check_faults(check: Check, pointer: str) -> Iterator[Fault]:
    if (check.metric is None) == (check.expression is None):
        yield Fault(pointer, "A check has a metric or an expression, and one of both.",
                    "Give metric, op and value, or expression.", "quality")  # fmt: skip
    if check.metric is not None and check.value is None:
        yield Fault(f"{pointer}/value", f"{check.metric} is compared with a value.",
                    "Give value.", "quality")  # fmt: skip
    if check.metric is Metric.UNIQUENESS and check.column is None:
        yield Fault(f"{pointer}/column", "UNIQUENESS is of a column.", "Name it in column.",
                    "quality")  # fmt: skip
    if check.column is not None and check.metric not in OF_COLUMNS:
        yield Fault(f"{pointer}/column", "Such a check is of a whole asset.",
                    f"Leave column out, or use one of {', '.join(OF_COLUMNS)}.",
                    "quality")  # fmt: skip
    if check.expression is not None:
        try:
            if "{{" in check.expression:
                raise InvalidInput("An expression stands bare, without braces.")
            check_expression(check.expression, CONTEXTS)
        except InvalidInput as fault:
            yield Fault(f"{pointer}/expression", fault.message,
                        "Write a CEL expression over `asset`.", "expression")  # fmt: skip
