"""Data sources: register, change, test, scan, archive."""

from typing import Annotated, Any, Literal

import anyio
from fastapi import APIRouter, BackgroundTasks, Query, Response, status
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.deps import Me, Racine, ReadSession, Transaction, WriteSession
from api.pages import Cursor, Items, Limit
from racine.errors import Unavailable
from racine.governance.data_sources.locations import Kind
from racine.governance.data_sources.states import SourceState
from services import executions, sources
from services.executions import Launch
from services.sources import Source

router = APIRouter(prefix="/api/data-sources", tags=["data sources"])

Name = Annotated[str, Field(min_length=1, max_length=100)]
Place = Annotated[
    str,
    Field(min_length=1, max_length=2000, description="A URL without password, or a path."),
]
Credential = Annotated[
    str | None, Field(max_length=500, description="`env:NAME`, `file:/path` or `secret:NAME`.")
]


class SourceRequest(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "name": "shop",
                "kind": "postgresql",
                "location": "postgresql://reader@db.example.org/shop",
                "credential": "secret:shop-reader",
            }
        },
    )
    name: Name
    kind: Kind
    location: Place
    credential: Credential = None
    options: dict[str, Any] = Field(default_factory=dict)


class SourceChange(BaseModel):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"credential": "env:SHOP_PASSWORD"}}
    )
    name: Name | None = None
    location: Place | None = None
    credential: Credential = None
    options: dict[str, Any] | None = None


class SourceAnswer(BaseModel):
    id: str
    name: str
    kind: str
    location: str
    credential: str | None
    options: dict[str, Any]
    state: SourceState
    state_reason: str | None
    created_at: AwareDatetime
    updated_at: AwareDatetime


class Health(BaseModel):
    """What the last test measured; `ok` is null before the first."""

    state: SourceState
    ok: bool | None = None
    detail: str = ""
    seconds: float | None = None
    checked_at: AwareDatetime | None = None
    steps: list[dict[str, Any]] = Field(default_factory=list)


Mode = Literal["full", "changed", "watermark", "schema", "age"]


class ScanRequest(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {}})
    rule_set_id: str | None = Field(
        default=None, description="The source's own, the workspace's or the system's when left out."
    )
    mode: Mode | None = Field(
        default=None, description="Which assets are read again; as the rules say when left out."
    )


class RunStarted(BaseModel):
    run_id: str


@router.post("", operation_id="create_data_source", status_code=status.HTTP_201_CREATED)
def create(body: SourceRequest, me: Me, session: WriteSession, response: Response) -> SourceAnswer:
    """Register a source; nothing is reached before it is tested."""
    source = sources.create(session, me, **body.model_dump())
    response.headers["Location"] = f"{router.prefix}/{source.id}"
    return _answer(source)


@router.get("", operation_id="list_data_sources")
def list_sources(
    me: Me,
    session: ReadSession,
    state: Annotated[SourceState | None, Query()] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Items[SourceAnswer]:
    """List the sources that the caller may see, newest first."""
    found = sources.listed(session, me, state=state, limit=limit, cursor=cursor)
    return Items(items=[_answer(s) for s in found.items], next_cursor=found.next_cursor)


@router.get("/states", operation_id="list_data_source_states")
def life_cycle(me: Me, session: ReadSession) -> dict[str, list[str]]:
    """Tell each state of a source's life and the states that may follow."""
    return sources.life_cycle(session, me)


@router.get("/{source_id}", operation_id="get_data_source")
def get(source_id: str, me: Me, session: ReadSession) -> SourceAnswer:
    """Read one source."""
    return _answer(sources.get(session, me, source_id))


@router.patch("/{source_id}", operation_id="update_data_source")
def change(source_id: str, body: SourceChange, me: Me, session: WriteSession) -> SourceAnswer:
    """Change a source; another location takes its state back to `registered`."""
    changes = body.model_dump(exclude_unset=True)
    kept = {k: v for k, v in changes.items() if v is not None or k == "credential"}
    return _answer(sources.change(session, me, source_id, kept))


@router.delete(
    "/{source_id}", operation_id="delete_data_source", status_code=status.HTTP_204_NO_CONTENT
)
def delete(source_id: str, me: Me, session: WriteSession) -> None:
    """Delete an archived source with its scans."""
    sources.delete(session, me, source_id)


@router.post("/{source_id}/archive", operation_id="archive_data_source")
def archive(source_id: str, me: Me, session: WriteSession) -> SourceAnswer:
    """Archive a source: it is kept, and never scanned again."""
    return _answer(sources.archive(session, me, source_id))


@router.get("/{source_id}/health", operation_id="get_data_source_health")
def health(source_id: str, me: Me, session: ReadSession) -> Health:
    """Tell what the last connection test measured, step by step."""
    source = sources.get(session, me, source_id)
    return Health.model_validate({"state": source.state, **source.health})


@router.post(
    "/{source_id}/test", operation_id="test_data_source", status_code=status.HTTP_202_ACCEPTED
)
def test(
    source_id: str,
    me: Me,
    racine: Racine,
    transaction: Transaction,
    response: Response,
    after: BackgroundTasks,
) -> RunStarted:
    """Start a connection test; its steps are then under `health`."""
    with transaction() as session:
        launch = sources.record_test(session, me, source_id)
    return _start(racine, launch, response, after)


@router.post(
    "/{source_id}/scan", operation_id="scan_data_source", status_code=status.HTTP_202_ACCEPTED
)
def scan(
    source_id: str,
    body: ScanRequest,
    me: Me,
    racine: Racine,
    transaction: Transaction,
    response: Response,
    after: BackgroundTasks,
) -> RunStarted:
    """Start a run that scans, classifies, judges and catalogs the source."""
    with transaction() as session:
        launch = sources.record_scan(session, me, source_id, body.rule_set_id, body.mode)
    return _start(racine, launch, response, after)


@router.post(
    "/{source_id}/plan", operation_id="plan_data_source_scan", status_code=status.HTTP_202_ACCEPTED
)
def plan(
    source_id: str,
    body: ScanRequest,
    me: Me,
    racine: Racine,
    transaction: Transaction,
    response: Response,
    after: BackgroundTasks,
) -> RunStarted:
    """Start a run that lists the source and tells what a scan would read, and why.

    It ends with a scan in the state `planned`, whose assets say it each; no row is read.
    """
    with transaction() as session:
        launch = sources.record_scan(
            session, me, source_id, body.rule_set_id, body.mode, plan_only=True
        )
    return _start(racine, launch, response, after)


def _start(
    racine: Racine, launch: Launch, response: Response, after: BackgroundTasks
) -> RunStarted:
    """Start a committed run; without Temporal it stays recorded, and the sweeper starts it."""
    response.headers["Location"] = f"/api/racine/workflows/executions/{launch.run_id}"
    try:
        anyio.from_thread.run(executions.start, racine.temporal, launch)
    except Unavailable:
        return RunStarted(run_id=launch.run_id)
    after.add_task(racine.begun.note, launch.run_id)
    return RunStarted(run_id=launch.run_id)


def _answer(source: Source) -> SourceAnswer:
    return SourceAnswer.model_validate(source, from_attributes=True)
