"""Whether what the catalog knows agrees with the law: controls, findings, remediation."""

from pydantic import Field

from racine.group import Group, Operation, Payload


class ValidateInput(Payload):
    scan_id: str
    frameworks: list[str] = Field(default_factory=list)
    """Ids of frameworks; all that ship when empty."""


class ValidateResult(Payload):
    passed: int
    failed: int
    unknown: int
    waived: int
    findings: int
    """Open findings of the source afterwards: failures that nothing excuses."""
    closed: int
    """Findings that this validation closed."""
    by_severity: dict[str, int]
    """Failures by severity."""


class SourceScope(Payload):
    source_id: str
    frameworks: list[str] = Field(default_factory=list)


class FrameworkScore(Payload):
    framework: str
    score: float | None
    """Weighted share of what passed among what was decided, in percent."""
    decided: float | None
    """Weighted share of what could be decided at all, in percent."""
    passed: int
    failed: int
    unknown: int
    waived: int
    worst: list[str]


class ScoreResult(Payload):
    scores: list[FrameworkScore]


class PlanStep(Payload):
    place_id: str
    place: str
    fact: str
    changes: str
    instruction: str
    owner: str
    closes: list[str]
    """Ids of the findings that this step closes after those before it."""
    decides: list[str]
    """Ids of undecided findings that it brings nearer to an answer, whichever that is."""


class PlanResult(Payload):
    steps: int
    closes: int
    """Findings that the whole plan would close."""
    findings: int
    first: list[PlanStep]
    """The steps that weigh most, at most ten; the whole plan is asked for by API."""


class ReportResult(Payload):
    source_id: str
    scores: list[FrameworkScore]
    failed: int
    unknown: int
    waived: int
    worst: list[str]
    """The heaviest findings in words, at most ten: control, subject, what is wrong."""


VALIDATE = Operation(
    "compliance.validate",
    ValidateInput,
    ValidateResult,
    "Judges a scan's facts by the controls of the chosen frameworks.",
    example={"scan_id": "scan_01", "frameworks": ["gdpr"]},
    permission="compliance:run",
)
SCORE = Operation(
    "compliance.score",
    SourceScope,
    ScoreResult,
    "Scores a source by its last validation; what is unknown is told apart.",
    example={"source_id": "src_01"},
    permission="compliance:read",
)
PLAN = Operation(
    "compliance.plan_remediation",
    SourceScope,
    PlanResult,
    "Orders the steps that would close a source's open findings.",
    example={"source_id": "src_01", "frameworks": ["pci_dss_4"]},
    permission="compliance:read",
)
REPORT = Operation(
    "compliance.report",
    SourceScope,
    ReportResult,
    "Sums up how a source stands: scores, counts and the worst findings.",
    example={"source_id": "src_01"},
    permission="compliance:read",
)

GROUP = Group("compliance", "Compliance rules", (VALIDATE, SCORE, PLAN, REPORT))
