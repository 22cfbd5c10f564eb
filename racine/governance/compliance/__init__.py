"""Whether what the catalog knows agrees with the law: controls, findings, remediation."""

from racine.group import Group, Operation, Payload


class ValidateInput(Payload):
    scan_id: str


class ValidateResult(Payload):
    passed: int
    failed: int
    unknown: int
    waived: int


VALIDATE = Operation(
    "compliance.validate",
    ValidateInput,
    ValidateResult,
    "Judges a scan's facts by the enabled controls.",
    permission="compliance:write",
)

GROUP = Group("compliance", "Compliance rules", (VALIDATE,))
