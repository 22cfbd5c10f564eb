"""What the columns hold: classifiers, evidence and verdicts."""

from pydantic import Field

from racine.group import Group, Operation, Payload


class ClassifyInput(Payload):
    scan_id: str


class ClassifyResult(Payload):
    columns: int
    classified: int
    by_kind: dict[str, int]


CLASSIFY = Operation(
    "classifications.classify",
    ClassifyInput,
    ClassifyResult,
    "Decides from a scan's evidence what each column holds.",
    example={"scan_id": "scan_01"},
    permission="classifications:run",
)


class ProposeInput(Payload):
    source_id: str
    at_least: float = Field(default=0.3, ge=0, le=1)
    below: float = Field(default=0.9, ge=0, le=1)
    """Verdicts of a confidence from `at_least` to `below` are put to a person."""
    limit: int = Field(default=50, ge=1, le=100)


class Proposal(Payload):
    """What Racine would say of a column if nobody objects."""

    verdict_id: str
    column: str
    """`table.column`."""
    kind: str
    confidence: float
    sensitivity: str
    why: str
    """In words and numbers; never a value."""


class ProposeResult(Payload):
    waiting: int
    """Columns that are put to a person now."""
    more: int
    """Columns in the band beyond the limit."""
    sure: int
    """Columns whose verdict stands without being asked about."""
    verdict_ids: list[str]
    summary: str
    """The first proposals, a line each, for an approval's prompt."""
    proposals: list[Proposal]


class ReviewInput(Payload):
    source_id: str
    verdict_ids: list[str] = Field(max_length=100)
    """What was proposed; nothing else is decided."""
    approval: str = "ask"
    """Key of the approval task of this run in which people answered."""


class ReviewResult(Payload):
    confirmed: int
    rejected: int
    relabelled: int
    left: int
    """Left as they were: decided meanwhile, gone, or left out by the form."""
    not_understood: list[str]
    """Entries of the form that name no proposal or no known answer; they changed nothing."""


PROPOSE = Operation(
    "classifications.propose",
    ProposeInput,
    ProposeResult,
    "Picks the verdicts of a source that are too uncertain to stand without a person.",
    example={"source_id": "src_01", "at_least": 0.3, "below": 0.9},
    permission="classifications:read",
)
REVIEW = Operation(
    "classifications.review",
    ReviewInput,
    ReviewResult,
    "Decides proposed verdicts as the people of an approval task answered.",
    example={"source_id": "src_01", "verdict_ids": ["vdt_01"], "approval": "ask"},
    permission="classifications:run",
)

GROUP = Group("classifications", "Classifications", (CLASSIFY, PROPOSE, REVIEW))
