"""Frameworks, findings, waivers, scores and remediation plans."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, status
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.deps import Me, ReadSession, WriteSession
from services import compliance
from services.compliance import Wanted

router = APIRouter(prefix="/api/compliance-rules", tags=["compliance"])

Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str | None, Query(max_length=200)]
Named = Annotated[str | None, Query(max_length=60)]
Frameworks = Annotated[tuple[str, ...], Query(max_length=20)]


class RemediationAnswer(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    step: str
    changes: str
    role: str


class ControlAnswer(BaseModel):
    """One check: where `scope` holds, `passes` must hold, both CEL over `fact`."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    framework: str
    title: str
    subject: str
    severity: str
    scope: str
    passes: str
    evidence: list[str]
    failure: str
    remediation: RemediationAnswer


class FrameworkAnswer(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: str
    title: str
    source: str
    controls: list[ControlAnswer]


class FrameworkList(BaseModel):
    items: list[FrameworkAnswer]


class FindingAnswer(BaseModel):
    """A control that a subject fails, or that could not be decided; evidence holds no value."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    source_id: str
    control: str
    framework: str
    subject_id: str
    subject: str
    subject_level: str
    severity: str
    result: str
    state: str
    message: str
    evidence: dict[str, Any]
    missing: list[str]
    scan_id: str
    opened_at: datetime
    last_seen_at: datetime
    closed_at: datetime | None
    closed_because: str | None


class FindingList(BaseModel):
    items: list[FindingAnswer]
    next_cursor: str | None


class WaiverBody(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "reason": "Replaced next quarter.",
                "compensating_control": "Access is logged.",
                "expires_at": "2099-01-01T00:00:00Z",
            }
        },
    )

    reason: str = Field(min_length=1, max_length=2000)
    compensating_control: str = Field(default="", max_length=2000)
    expires_at: AwareDatetime


class WaiverAnswer(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: str
    finding_id: str
    reason: str
    compensating_control: str
    requested_by: str
    decided_by: str | None
    decided_at: datetime | None
    expires_at: datetime
    state: str


class WaiverList(BaseModel):
    items: list[WaiverAnswer]
    next_cursor: str | None


class ScoreAnswer(BaseModel):
    """Percentages weighted by severity; what could not be decided lowers `decided`, not `score`."""

    model_config = ConfigDict(from_attributes=True)

    framework: str
    score: float | None
    decided: float | None
    passed: int
    failed: int
    unknown: int
    waived: int
    worst: list[str]


class ScoreList(BaseModel):
    items: list[ScoreAnswer]


class StepAnswer(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    place_id: str
    place: str
    fact: str
    changes: str
    instruction: str
    owner: str
    closes: list[str]
    decides: list[str]
    weight: int


class PlanAnswer(BaseModel):
    steps: list[StepAnswer]
    closes: int


@router.get("/frameworks", operation_id="list_frameworks")
def frameworks(session: ReadSession, me: Me) -> FrameworkList:
    """List the frameworks that ship, with their controls."""
    found = compliance.frameworks(session, me)
    return FrameworkList(items=[FrameworkAnswer.model_validate(item) for item in found])


@router.get("/controls/{control_id}", operation_id="get_control")
def control(control_id: str, session: ReadSession, me: Me) -> ControlAnswer:
    """Return one control."""
    return ControlAnswer.model_validate(compliance.control(session, me, control_id))


@router.get("/findings", operation_id="list_findings")
def findings(
    session: ReadSession,
    me: Me,
    source_id: Named = None,
    framework: Named = None,
    control: Named = None,
    state: Literal["open", "waived", "closed"] | None = None,
    result: Literal["fail", "unknown", "pass", "not_applicable"] | None = None,
    severity: Literal["low", "medium", "high", "critical"] | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> FindingList:
    """List findings, newest first."""
    wanted = Wanted(source_id, framework, control, state, result, severity)
    found = compliance.findings(session, me, wanted, limit=limit, cursor=cursor)
    items = [FindingAnswer.model_validate(item) for item in found.items]
    return FindingList(items=items, next_cursor=found.next_cursor)


@router.get("/findings/{finding_id}", operation_id="get_finding")
def finding(finding_id: str, session: ReadSession, me: Me) -> FindingAnswer:
    """Return one finding with its evidence."""
    return FindingAnswer.model_validate(compliance.finding(session, me, finding_id))


@router.post(
    "/findings/{finding_id}/waivers",
    operation_id="request_waiver",
    status_code=status.HTTP_201_CREATED,
)
def request_waiver(
    finding_id: str, body: WaiverBody, session: WriteSession, me: Me
) -> WaiverAnswer:
    """Ask that a failure be excused until a day."""
    found = compliance.request_waiver(
        session, me, finding_id, reason=body.reason,
        compensating_control=body.compensating_control, expires_at=body.expires_at,
    )  # fmt: skip
    return WaiverAnswer.model_validate(found)


@router.get("/waivers", operation_id="list_waivers")
def waivers(
    session: ReadSession,
    me: Me,
    finding_id: Named = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> WaiverList:
    """List waivers, newest first."""
    found = compliance.waivers(session, me, finding_id, limit=limit, cursor=cursor)
    items = [WaiverAnswer.model_validate(item) for item in found.items]
    return WaiverList(items=items, next_cursor=found.next_cursor)


@router.post("/waivers/{waiver_id}/approve", operation_id="approve_waiver")
def approve(waiver_id: str, session: WriteSession, me: Me) -> WaiverAnswer:
    """Approve a waiver that somebody else requested."""
    return WaiverAnswer.model_validate(
        compliance.decide_waiver(session, me, waiver_id, approve=True)
    )


@router.post("/waivers/{waiver_id}/refuse", operation_id="refuse_waiver")
def refuse(waiver_id: str, session: WriteSession, me: Me) -> WaiverAnswer:
    """Refuse a waiver that somebody else requested."""
    return WaiverAnswer.model_validate(
        compliance.decide_waiver(session, me, waiver_id, approve=False)
    )


@router.post("/waivers/{waiver_id}/revoke", operation_id="revoke_waiver")
def revoke(waiver_id: str, session: WriteSession, me: Me) -> WaiverAnswer:
    """End an approved waiver before its day."""
    return WaiverAnswer.model_validate(compliance.revoke_waiver(session, me, waiver_id))


@router.get("/scores", operation_id="list_scores")
def scores(
    session: ReadSession, me: Me, source_id: Named = None, framework: Frameworks = ()
) -> ScoreList:
    """Score a source, or the workspace, by the last validations."""
    found = compliance.score(session, me, source_id, framework)
    return ScoreList(items=[ScoreAnswer.model_validate(item) for item in found])


@router.get("/remediation-plan", operation_id="get_remediation_plan")
def plan(
    source_id: Annotated[str, Query(max_length=40)],
    session: ReadSession,
    me: Me,
    framework: Frameworks = (),
) -> PlanAnswer:
    """Return the ordered steps that would close a source's open findings."""
    found = compliance.plan_remediation(session, me, source_id, framework)
    steps = [StepAnswer.model_validate(step) for step in found]
    return PlanAnswer(steps=steps, closes=sum(len(step.closes) for step in steps))
