"""Connections to data: their kinds, credentials by reference and life cycle."""

from typing import Any, Literal

from pydantic import Field

from racine.governance.data_sources.locations import Kind as Kind
from racine.group import Group, Operation, Payload


class SourceRef(Payload):
    source_id: str


class RegisterInput(Payload):
    name: str = Field(min_length=1, max_length=100)
    kind: Kind
    location: str = Field(min_length=1, max_length=2000)
    credential: str | None = Field(default=None, max_length=500)
    options: dict[str, Any] = Field(default_factory=dict)


class RegisterResult(Payload):
    source_id: str
    state: str


class CheckStep(Payload):
    step: str
    ok: bool
    detail: str = ""
    next_step: str = ""


class CheckResult(Payload):
    ok: bool
    steps: list[CheckStep]


class DiscoverInput(Payload):
    source_id: str
    rule_set_id: str | None = None
    """The rule set that the scan obeys; without it, the source's, the workspace's, the system's."""
    mode: Literal["full", "changed", "watermark", "schema", "age"] | None = None
    """Which assets are read again; without it, as the rules say."""
    dry_run: bool = False
    """Only plan: nothing will be read, and the source keeps its state."""


class DiscoverResult(Payload):
    scan_id: str
    assets: int
    to_read: int
    """Assets that the scan will read; the others' facts are carried over."""
    excluded: int
    errors: int
    clean: bool


class HealthResult(Payload):
    ok: bool
    state: str
    detail: str = ""
    seconds: float


class SourceStateResult(Payload):
    source_id: str
    state: str


REGISTER = Operation(
    "data_sources.register",
    RegisterInput,
    RegisterResult,
    "Registers a source, or finds the one of that name.",
    example={"name": "shop", "kind": "sqlite", "location": "/data/shop.db"},
    permission="data_sources:write",
)
TEST = Operation(
    "data_sources.test",
    SourceRef,
    CheckResult,
    "Tests the connection step by step; a step that fails fails the task.",
    example={"source_id": "src_01"},
    permission="data_sources:run",
    timeout_seconds=120,
    opens_source=True,
)
DISCOVER = Operation(
    "data_sources.discover",
    DiscoverInput,
    DiscoverResult,
    "Lists a source's assets and columns and opens a scan over them.",
    example={"source_id": "src_01"},
    permission="scan_logic:run",
    timeout_seconds=3600,
    heartbeat_seconds=60,
    opens_source=True,
)
MONITOR_HEALTH = Operation(
    "data_sources.monitor_health",
    SourceRef,
    HealthResult,
    "Measures whether a source answers and how fast, and keeps the result on the source.",
    example={"source_id": "src_01"},
    permission="data_sources:run",
    timeout_seconds=120,
    opens_source=True,
)
ARCHIVE = Operation(
    "data_sources.archive",
    SourceRef,
    SourceStateResult,
    "Archives a source: it is kept, and never scanned again.",
    example={"source_id": "src_01"},
    permission="data_sources:write",
)

GROUP = Group("data_sources", "Data sources", (REGISTER, TEST, DISCOVER, MONITOR_HEALTH, ARCHIVE))
