"""What the columns hold: classifiers, evidence and verdicts."""

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

GROUP = Group("classifications", "Classifications", (CLASSIFY,))
