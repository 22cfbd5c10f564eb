"""Verdicts on columns: the review queue and people's decisions."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from api.deps import Me, Racine, ReadSession, WriteSession
from racine.governance.classifications.explaining import ColumnExplanation
from services import classifications
from services.classifications import Decision, Wanted

router = APIRouter(prefix="/api/classifications", tags=["classifications"])

Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str | None, Query(max_length=200)]
SourceId = Annotated[str | None, Query(max_length=40)]
Kind = Annotated[str | None, Query(max_length=100)]
Reason = Annotated[str, Field(min_length=1, max_length=1000)]


class VerdictAnswer(BaseModel):
    """What a classifier says of a column; the evidence holds counts and words, never a value."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    source_id: str
    column_id: str
    asset_name: str
    column_name: str
    classifier: str
    kind: str
    state: str
    applied: bool
    confidence: float
    need: float
    sensitivity: str
    evidence: dict[str, Any]
    detector_version: str
    last_seen_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    reason: str


class VerdictList(BaseModel):
    items: list[VerdictAnswer]
    next_cursor: str | None


class ExplanationAnswer(BaseModel):
    """The newest evidence judged anew, and the verdicts kept of the column."""

    explanation: ColumnExplanation
    verdicts: list[VerdictAnswer]


class DecisionBody(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"decision": "confirmed", "reason": "The header says so."}},
    )

    decision: Decision
    reason: Reason


class RelabelBody(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"kind": "email", "reason": "These are addresses."}},
    )

    kind: str = Field(min_length=1, max_length=100, pattern=r"^[a-z][a-z0-9_]*$")
    reason: Reason


class BulkBody(DecisionBody):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "pattern": "staging_*.email",
                "decision": "confirmed",
                "reason": "A copy of the shop.",
            }
        },
    )

    pattern: str = Field(min_length=1, max_length=500)
    """Fits `table.column`: `*` and `?`, or `re:` and an RE2 expression."""
    source_id: str | None = Field(default=None, max_length=40)
    kind: str | None = Field(default=None, max_length=100)


class BulkAnswer(BaseModel):
    decided: int


@router.get("/verdicts", operation_id="list_verdicts")
def listing(
    session: ReadSession,
    me: Me,
    source_id: SourceId = None,
    state: Literal["suggested", "confirmed", "rejected"] | None = None,
    kind: Kind = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> VerdictList:
    """List verdicts, newest first."""
    wanted = Wanted(source_id, state, kind)
    found = classifications.listing(session, me, wanted, limit=limit, cursor=cursor)
    items = [VerdictAnswer.model_validate(item) for item in found.items]
    return VerdictList(items=items, next_cursor=found.next_cursor)


@router.get("/queue", operation_id="list_review_queue")
def queue(
    session: ReadSession,
    me: Me,
    source_id: SourceId = None,
    kind: Kind = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> VerdictList:
    """List what waits for a person, most telling first."""
    wanted = Wanted(source_id, None, kind)
    found, after = classifications.queue(session, me, wanted, limit=limit, after=cursor)
    return VerdictList(
        items=[VerdictAnswer.model_validate(item) for item in found], next_cursor=after
    )


@router.get("/explanation", operation_id="explain_column")
def explain(
    session: ReadSession,
    me: Me,
    racine: Racine,
    source_id: Annotated[str, Query(max_length=40)],
    column: Annotated[str, Query(min_length=3, max_length=2001, examples=["customers.email"])],
) -> ExplanationAnswer:
    """Tell why `table.column` of a scanned source holds what it holds, and what would change it."""
    told, said = classifications.explain(session, me, racine.settings, source_id, column)
    items = [VerdictAnswer.model_validate(item) for item in said]
    return ExplanationAnswer(explanation=told, verdicts=items)


@router.get("/verdicts/{verdict_id}", operation_id="get_verdict")
def get(verdict_id: str, session: ReadSession, me: Me) -> VerdictAnswer:
    """Return one verdict with its evidence."""
    return VerdictAnswer.model_validate(classifications.get(session, me, verdict_id))


@router.post("/verdicts/{verdict_id}/decision", operation_id="decide_verdict")
def decide(verdict_id: str, body: DecisionBody, session: WriteSession, me: Me) -> VerdictAnswer:
    """Confirm or reject a verdict; no later scan overturns it."""
    found = classifications.decide(session, me, verdict_id, body.decision, body.reason)
    return VerdictAnswer.model_validate(found)


@router.post("/verdicts/{verdict_id}/relabel", operation_id="relabel_verdict")
def relabel(
    verdict_id: str, body: RelabelBody, session: WriteSession, me: Me, racine: Racine
) -> VerdictAnswer:
    """Reject a verdict and state what the column holds instead; return what is stated."""
    settings = racine.settings
    found = classifications.relabel(session, me, settings, verdict_id, body.kind, body.reason)
    return VerdictAnswer.model_validate(found)


@router.post("/decisions", operation_id="decide_verdicts_by_pattern")
def decide_by_pattern(body: BulkBody, session: WriteSession, me: Me) -> BulkAnswer:
    """Decide every undecided verdict whose column fits a pattern."""
    wanted = Wanted(body.source_id, None, body.kind)
    decided = classifications.decide_by_pattern(
        session, me, wanted, body.pattern, body.decision, body.reason
    )
    return BulkAnswer(decided=decided)
