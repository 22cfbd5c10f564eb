"""What a scan reads, in which order and how much."""

from racine.group import Group, Operation, Payload


class ScanRef(Payload):
    scan_id: str


class ScanResult(Payload):
    assets: int
    columns: int
    rows: int
    errors: int


SCAN = Operation(
    "scan_logic.scan",
    ScanRef,
    ScanResult,
    "Profiles every asset of a scan over a sample and keeps value-free evidence.",
    permission="scan_logic:run",
    timeout_seconds=86_400,
    heartbeat_seconds=30,
)

GROUP = Group("scan_logic", "Scan logic", (SCAN,))
