"""Connections to data: their kinds, credentials by reference and life cycle."""

from pydantic import Field

from racine.group import Group, Operation, Payload


class SourceRef(Payload):
    source_id: str


class RegisterInput(Payload):
    name: str = Field(min_length=1, max_length=100)
    kind: str
    location: str = Field(max_length=2000)
    credential: str | None = None


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


class DiscoverResult(Payload):
    scan_id: str
    assets: int
    clean: bool


REGISTER = Operation(
    "data_sources.register",
    RegisterInput,
    RegisterResult,
    "Registers a source, or finds the one of that name.",
    permission="data_sources:write",
)
TEST = Operation(
    "data_sources.test",
    SourceRef,
    CheckResult,
    "Tests the connection step by step.",
    permission="data_sources:write",
)
DISCOVER = Operation(
    "data_sources.discover",
    SourceRef,
    DiscoverResult,
    "Lists a source's assets and columns and opens a scan over them.",
    permission="scan_logic:run",
)

GROUP = Group("data_sources", "Data sources", (REGISTER, TEST, DISCOVER))
