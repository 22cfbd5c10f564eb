"""The kinds of task that reach outside: statements, requests, gates and notifications."""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from racine.definitions.part import Part

Text = Annotated[str, StringConstraints(min_length=1, max_length=100_000)]


class SqlTask(Part):
    """Runs statements on a registered source, all in one transaction."""

    source: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    """Name or id; a template may give it."""
    statement: Text | Annotated[list[Text], Field(min_length=1, max_length=100)]
    """One statement, or several in order; the rows of the last one are the task's."""
    parameters: dict[str, Any] = Field(default_factory=dict)
    """Values that the statements read as `:name`; a list or an object is bound as JSON text."""
    write: bool = False
    """Whether the statements may change anything."""
    max_rows: int = Field(default=100_000, ge=1, le=10_000_000)
    """More rows fail the task."""
    timeout_seconds: float = Field(default=300, gt=0, le=86_400)
    """How long one statement may take."""


class HttpTask(Part):
    """Sends one request."""

    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    url: Annotated[str, StringConstraints(min_length=1, max_length=4000)]
    headers: dict[str, str] = Field(default_factory=dict, max_length=50)
    """`{{ secrets.NAME }}` in a value stands for a secret of the workspace."""
    query: dict[str, Any] = Field(default_factory=dict)
    body: Any = None
    """Sent as JSON."""
    timeout_seconds: float = Field(default=30, gt=0, le=3600)
    """For the whole exchange, redirects too."""
    expected_status: list[Annotated[int, Field(ge=100, le=599)]] = Field(default_factory=list)
    """Statuses that are no failure; empty: 200 to 299."""
    values: dict[str, str] = Field(default_factory=dict, max_length=100)
    """Values of the task by name: JSON pointers (RFC 6901) into the answer."""
    max_bytes: int = Field(default=10 << 20, ge=1, le=64 << 20)
    """A longer answer fails the task."""


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


class Metric(StrEnum):
    """What a check of a gate measures."""

    ROW_COUNT = "ROW_COUNT"
    NULL_SHARE = "NULL_SHARE"
    """Of a column: empty cells among all that were read."""
    UNIQUENESS = "UNIQUENESS"
    """Of a column: distinct values among the filled cells."""
    FRESHNESS_SECONDS = "FRESHNESS_SECONDS"
    """Age of what is known: since the scan."""
    FINDINGS = "FINDINGS"
    """Open findings of compliance, of `at_least` that severity."""
    COMPLIANCE = "COMPLIANCE"
    """The asset's state: pass, fail, unknown or waived."""


class Comparison(StrEnum):
    """How what was measured must stand to `value` (Databricks' names)."""

    EQUAL_TO = "EQUAL_TO"
    NOT_EQUAL = "NOT_EQUAL"
    GREATER_THAN = "GREATER_THAN"
    GREATER_THAN_OR_EQUAL = "GREATER_THAN_OR_EQUAL"
    LESS_THAN = "LESS_THAN"
    LESS_THAN_OR_EQUAL = "LESS_THAN_OR_EQUAL"


class Check(Part):
    """One condition on one asset: a metric with its bound, or a CEL expression."""

    name: Annotated[str, StringConstraints(max_length=200)] = ""
    asset: Annotated[str, StringConstraints(max_length=1000)] = ""
    """Name or pattern (`orders`, `sales.*`); empty: every asset."""
    column: Annotated[str, StringConstraints(max_length=1000)] | None = None
    metric: Metric | None = None
    op: Comparison = Comparison.EQUAL_TO
    value: Any = None
    at_least: Literal["low", "medium", "high", "critical"] = "low"
    expression: Annotated[str, StringConstraints(max_length=4096)] | None = None
    """CEL over `asset`: `asset.rows > 0 && asset.columns["email"].null_share < 0.1`."""
    severity: Severity = Severity.ERROR
    """A warning is told and fails nothing."""


class QualityTask(Part):
    """A gate: passes when every check of severity `error` holds; its outcome says which."""

    source: Annotated[str, StringConstraints(max_length=200)] | None = None
    """Name or id: what its last scan found."""
    scan_id: Annotated[str, StringConstraints(max_length=200)] | None = None
    """What this scan found, published or not."""
    checks: list[Check] = Field(min_length=1, max_length=200)
    on_fail: Literal["FAIL", "CONTINUE"] = "FAIL"
    """Whether a check that does not hold fails the task, or only decides its outcome."""


class NotifyTask(Part):
    """Leaves a notification in the workspace's inbox."""

    subject: Annotated[str, StringConstraints(min_length=1, max_length=1000)]
    body: Annotated[str, StringConstraints(max_length=10_000)] = ""
    severity: Literal["info", "warning", "error"] = "info"
