"""What a scan reads, in which order and how much."""

from pydantic import Field

from racine.governance.scan_logic.monitoring import SCHEDULE_MONITORING
from racine.group import Group, Operation, Payload


class ScanRef(Payload):
    scan_id: str


class ScanResult(Payload):
    assets: int
    columns: int
    rows: int
    errors: int


class PlanResult(Payload):
    scan_id: str
    assets: int
    """What is still to be read."""
    excluded: int
    unreadable: int
    largest: list[str]
    """The assets with the most rows, as the source estimates them: they take the time."""


class DriftResult(Payload):
    scan_id: str
    previous_scan_id: str | None
    added: int
    removed: int
    changed: int
    """Assets that are in both scans and not the same."""
    by_aspect: dict[str, int] = Field(default_factory=dict)
    """Changes of `schema`, `volume`, `freshness` and `classification`."""
    largest: float = 0.0
    """The greatest magnitude, from 0 to 1: what a condition or a gate may ask for."""


PLAN = Operation(
    "scan_logic.plan",
    ScanRef,
    PlanResult,
    "Tells what a scan will read, and what it leaves out and why.",
    example={"scan_id": "scan_01"},
    permission="scan_logic:read",
)
SCAN = Operation(
    "scan_logic.scan",
    ScanRef,
    ScanResult,
    "Profiles every asset of a scan over a sample and keeps value-free evidence.",
    example={"scan_id": "scan_01"},
    permission="scan_logic:run",
    timeout_seconds=86_400,
    heartbeat_seconds=30,
    opens_source=True,
)
DETECT_DRIFT = Operation(
    "scan_logic.detect_drift",
    ScanRef,
    DriftResult,
    "Compares a scan with the one before it: schema, volume, freshness and, classified, types.",
    example={"scan_id": "scan_01"},
    permission="scan_logic:run",
)

GROUP = Group("scan_logic", "Scan logic", (PLAN, SCAN, DETECT_DRIFT, SCHEDULE_MONITORING))
