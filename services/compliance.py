"""Compliance as people use it: frameworks, findings, waivers, scores and remediation plans."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from models.stores import compliance, remediation, sources
from models.stores.compliance import Finding as Finding
from models.stores.compliance import Waiver as Waiver
from models.stores.paging import Page, page
from racine.errors import Conflict, Forbidden, InvalidInput
from racine.governance.compliance import controls
from racine.governance.compliance.controls import Control, Framework
from racine.governance.compliance.plan import Step, plan
from racine.governance.compliance.score import Count, Score, scores
from services import access, audit
from services.access import Actor

LONGEST_WAIVER = timedelta(days=366)
"""A waiver is for a time: a year at most, as long as a statement of a person lasts."""


@dataclass(frozen=True)
class Wanted:
    """What a list of findings is narrowed to."""

    source_id: str | None = None
    framework: str | None = None
    control: str | None = None
    state: str | None = None
    result: str | None = None
    severity: str | None = None


def frameworks(session: Session, actor: Actor) -> list[Framework]:
    """Return the frameworks that ship, with their controls."""
    access.require(session, actor, "compliance:read")
    return list(controls.frameworks().values())


def control(session: Session, actor: Actor, control_id: str) -> Control:
    access.require(session, actor, "compliance:read")
    return controls.control(control_id)


def findings(
    session: Session, actor: Actor, wanted: Wanted, *, limit: int = 50, cursor: str | None = None
) -> Page[Finding]:
    """Return the findings that the actor may see, newest first."""
    visible = access.visible(session, actor, "compliance:read", **compliance.SCOPE)
    query = compliance.matching(visible, **vars(wanted))
    return page(session, query, Finding, limit=limit, cursor=cursor)


def finding(session: Session, actor: Actor, finding_id: str) -> Finding:
    """Return a finding; raise NotFound also for one of another workspace."""
    found = compliance.get(session, finding_id)
    access.same_workspace(actor, found.workspace_id, f"finding {finding_id!r}")
    access.require(session, actor, "compliance:read", scope=found.source_id)
    return found


def score(
    session: Session, actor: Actor, source_id: str | None, names: Sequence[str]
) -> list[Score]:
    """Return one score a framework, of one source or of the whole workspace."""
    access.require(session, actor, "compliance:read", scope=_source(session, actor, source_id))
    rows = compliance.counts(session, actor.workspace_id, source_id, names)
    return scores(
        Count(r.framework, r.control, r.severity, r.passed, r.failed, r.unknown, r.waived)
        for r in rows
    )


def plan_remediation(
    session: Session, actor: Actor, source_id: str, names: Sequence[str]
) -> list[Step]:
    """Return the ordered steps that would close a source's open findings."""
    access.require(session, actor, "compliance:read", scope=_source(session, actor, source_id))
    return plan(remediation.open_findings(session, source_id, names))


def request_waiver(
    session: Session, actor: Actor, finding_id: str, *, reason: str, compensating_control: str,
    expires_at: datetime,
) -> Waiver:  # fmt: skip
    """Ask that a failure be excused until a day; somebody else has to approve."""
    found = finding(session, actor, finding_id)
    access.require(session, actor, "compliance:write", scope=found.source_id)
    if found.result != "fail":
        raise Conflict(
            "Only a failure can be waived.",
            next_step="Enter the missing facts; an undecided control says which.",
        )
    now = datetime.now(UTC)
    if not now < expires_at <= now + LONGEST_WAIVER:
        raise InvalidInput("A waiver ends in the future, a year from now at most.")
    waiver = compliance.request_waiver(
        session, found, by=actor.id, reason=reason,
        compensating_control=compensating_control, expires_at=expires_at,
    )  # fmt: skip
    audit.record(session, actor, "waiver.request", waiver.id, after=_summary(waiver))
    return waiver


def waivers(
    session: Session, actor: Actor, finding_id: str | None, *, limit: int = 50,
    cursor: str | None = None,
) -> Page[Waiver]:  # fmt: skip
    access.require(session, actor, "compliance:read")
    query = compliance.waivers(actor.workspace_id, finding_id)
    return page(session, query, Waiver, limit=limit, cursor=cursor)


def decide_waiver(session: Session, actor: Actor, waiver_id: str, *, approve: bool) -> Waiver:
    """Approve or refuse a waiver that somebody else requested."""
    waiver, found = _waiver(session, actor, waiver_id)
    if waiver.requested_by == actor.id:
        raise Forbidden(
            "Who requests a waiver does not decide it.", next_step="Ask another approver."
        )
    _in_state(waiver, "requested")
    if approve and waiver.expires_at <= datetime.now(UTC):
        raise Conflict("The waiver would have ended already.", next_step="Request a new one.")
    before = _summary(waiver)
    waiver.state = "approved" if approve else "refused"
    waiver.decided_by, waiver.decided_at = actor.id, datetime.now(UTC)
    if approve and found.result == "fail":
        found.state = "waived"
    audit.record(
        session, actor, f"waiver.{waiver.state}", waiver.id, before=before, after=_summary(waiver)
    )
    return waiver


def revoke_waiver(session: Session, actor: Actor, waiver_id: str) -> Waiver:
    """End an approved waiver before its day; its finding is open again."""
    waiver, found = _waiver(session, actor, waiver_id)
    _in_state(waiver, "approved")
    before = _summary(waiver)
    waiver.state = "revoked"
    if found.state == "waived":
        found.state = "open"
    audit.record(session, actor, "waiver.revoke", waiver.id, before=before, after=_summary(waiver))
    return waiver


def _waiver(session: Session, actor: Actor, waiver_id: str) -> tuple[Waiver, Finding]:
    waiver = compliance.get_waiver(session, waiver_id)
    access.same_workspace(actor, waiver.workspace_id, f"waiver {waiver_id!r}")
    found = compliance.get(session, waiver.finding_id)
    access.require(session, actor, "compliance:approve", scope=found.source_id)
    return waiver, found


def _in_state(waiver: Waiver, state: str) -> None:
    if waiver.state != state:
        raise Conflict(f"The waiver is {waiver.state}, not {state}.")


def _source(session: Session, actor: Actor, source_id: str | None) -> str | None:
    if source_id is not None:
        source = sources.get(session, source_id)
        access.same_workspace(actor, source.workspace_id, f"source {source_id!r}")
    return source_id


def _summary(waiver: Waiver) -> dict[str, Any]:
    return {
        "finding_id": waiver.finding_id,
        "state": waiver.state,
        "reason": waiver.reason,
        "expires_at": waiver.expires_at.isoformat(),
    }
