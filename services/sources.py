"""Data sources: where data is, how it is reached, and where each stands in its life."""

from typing import Any

from sqlalchemy.orm import Session

from models.stores import sources
from models.stores.paging import Page
from models.stores.sources import Source as Source
from racine.errors import Conflict
from racine.governance.data_sources import credentials, locations, states
from racine.governance.data_sources.states import SourceState
from services import access, audit, executions, shipped_jobs
from services.access import Actor
from services.executions import Launch

TEST_JOB = "test_source"
SCAN_JOB = "scan_source"
PLAN_JOB = "plan_source"


def create(
    session: Session, actor: Actor, *, name: str, kind: str, location: str,
    credential: str | None, options: dict[str, Any],
) -> Source:  # fmt: skip
    """Register a source; raise Conflict when the workspace has one of that name."""
    access.require(session, actor, "data_sources:write")
    _check(kind, location, credential)
    if (known := sources.named(session, actor.workspace_id, name)) is not None:
        raise Conflict(
            f"The workspace has a source named {name!r}.",
            next_step=f"PATCH /api/data-sources/{known.id} changes it.",
            details={"id": known.id},
        )
    source = sources.register(
        session, actor.workspace_id, name=name, kind=kind, location=location,
        credential=credential, options=options,
    )  # fmt: skip
    audit.record(session, actor, "data_source.create", source.id, after=_summary(source))
    return source


def get(session: Session, actor: Actor, source_id: str) -> Source:
    """Return a source; raise NotFound also for one of another workspace."""
    return _permitted(session, actor, source_id, "data_sources:read")


def listed(
    session: Session, actor: Actor, *, state: str | None, limit: int, cursor: str | None
) -> Page[Source]:
    """Return the workspace's sources that the actor may see, newest first."""
    seen = access.visible(
        session, actor, "data_sources:read", workspace=Source.workspace_id, source=Source.id
    )
    return sources.listing(session, seen, state=state, limit=limit, cursor=cursor)


def change(session: Session, actor: Actor, source_id: str, changes: dict[str, Any]) -> Source:
    """Change name, location, credential or options; another location begins its life anew."""
    source = _permitted(session, actor, source_id, "data_sources:write")
    if source.state == SourceState.ARCHIVED:
        raise Conflict(f"The source {source.name!r} is archived and does not change.")
    _check(
        source.kind,
        changes.get("location", source.location),
        changes.get("credential", source.credential),
    )
    name = changes.get("name", source.name)
    other = sources.named(session, source.workspace_id, name)
    if other is not None and other.id != source.id:
        raise Conflict(f"The workspace has another source named {name!r}.")
    before = _summary(source)
    if changes.get("location", source.location) != source.location:
        changes = {**changes, "state": SourceState.REGISTERED, "state_reason": None}
    sources.update(session, source.id, **changes)
    audit.record(
        session, actor, "data_source.update", source.id, before=before, after=_summary(source)
    )
    return source


def archive(session: Session, actor: Actor, source_id: str) -> Source:
    """Take a source out of scanning for good; what was found stays."""
    source = _permitted(session, actor, source_id, "data_sources:write")
    before = _summary(source)
    sources.move(session, source.id, SourceState.ARCHIVED)
    audit.record(
        session, actor, "data_source.archive", source.id, before=before, after=_summary(source)
    )
    return source


def delete(session: Session, actor: Actor, source_id: str) -> None:
    """Delete an archived source with its scans; raise Conflict for one that is not archived."""
    source = _permitted(session, actor, source_id, "data_sources:admin")
    if source.state != SourceState.ARCHIVED:
        raise Conflict(
            f"The source {source.name!r} is {source.state}.", next_step="Archive it first."
        )
    audit.record(session, actor, "data_source.delete", source.id, before=_summary(source))
    sources.delete(session, source.id)


def life_cycle(session: Session, actor: Actor) -> dict[str, list[str]]:
    """Return every state with those that may follow it."""
    access.require(session, actor, "data_sources:read")
    return {str(state): [str(s) for s in states.allowed(state)] for state in SourceState}


def record_test(session: Session, actor: Actor, source_id: str) -> Launch:
    """Write down a run that tests the connection; the caller commits, then starts it."""
    source = _permitted(session, actor, source_id, "data_sources:run")
    job = shipped_jobs.of(session, actor, TEST_JOB)
    return executions.record(session, actor, job.id, {"source_id": source.id})


def record_scan(
    session: Session, actor: Actor, source_id: str, rule_set_id: str | None,
    mode: str | None = None, *, plan_only: bool = False,
) -> Launch:  # fmt: skip
    """Write down a run that scans, classifies, judges and catalogs a source, or only plans it."""
    source = _permitted(session, actor, source_id, "scan_logic:run")
    job = shipped_jobs.of(session, actor, PLAN_JOB if plan_only else SCAN_JOB)
    given = {"source_id": source.id, "rule_set_id": rule_set_id, "mode": mode}
    return executions.record(session, actor, job.id, given)


def _permitted(session: Session, actor: Actor, source_id: str, permission: str) -> Source:
    source = sources.get(session, source_id)
    access.same_workspace(actor, source.workspace_id, f"source {source_id!r}")
    access.require(session, actor, permission, scope=source.id)
    return source


def _check(kind: str, location: str, credential: str | None) -> None:
    locations.refuse_password(locations.parse(location, kind))
    if credential is not None:
        credentials.parse(credential)


def _summary(source: Source) -> dict[str, Any]:
    fields = ("name", "kind", "location", "credential", "options", "state")
    return {name: getattr(source, name) for name in fields}
