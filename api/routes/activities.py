"""The activity log."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, Field

from api.deps import Me, ReadSession
from api.pages import Cursor, Items, Limit
from services import activities
from services.activities import Filter

router = APIRouter(prefix="/api/racine/activities", tags=["activities"])


class ActivityAnswer(BaseModel):
    id: str
    number: int = Field(description="Place in the log's hash chain.")
    created_at: AwareDatetime
    actor_id: str
    actor_name: str
    action: str
    object_id: str
    outcome: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    request_id: str
    origin: str
    previous_hash: str
    hash: str


class Wanted(BaseModel):
    actor_id: str | None = Field(default=None, max_length=40)
    object_id: str | None = Field(default=None, max_length=200)
    action: str | None = Field(
        default=None, max_length=100, description="`noun.verb`, or `noun.*` for all of a noun."
    )
    outcome: str | None = Field(default=None, pattern="^(done|denied)$")
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    tenant: bool = Field(default=False, description="The log of what concerns no workspace.")
    limit: Limit = 50
    cursor: Cursor = None


@router.get("", operation_id="search_activities")
def search(
    me: Me, session: ReadSession, wanted: Annotated[Wanted, Query()]
) -> Items[ActivityAnswer]:
    """Search the log, newest first."""
    filter_ = Filter(
        **wanted.model_dump(include={"actor_id", "object_id", "action", "outcome"}),
        since=wanted.since,
        until=wanted.until,
    )
    found = activities.search(
        session, me, filter_, tenant=wanted.tenant, limit=wanted.limit, cursor=wanted.cursor
    )
    return Items(
        items=[ActivityAnswer.model_validate(row, from_attributes=True) for row in found.items],
        next_cursor=found.next_cursor,
    )


class BadRow(BaseModel):
    number: int = Field(description="Place in the log's hash chain.")
    id: str | None = Field(description="None where the row itself is missing.")
    reason: str


class VerificationAnswer(BaseModel):
    whole: bool
    checked: int = Field(description="Rows from the first on that agree with their seals.")
    first_bad: BadRow | None


@router.get("/verify", operation_id="verify_activities")
def verify(
    me: Me,
    session: ReadSession,
    tenant: Annotated[bool, Query(description="The log of what concerns no workspace.")] = False,
) -> VerificationAnswer:
    """Walk the log's hash chain and name the first row that was changed, moved or removed."""
    found = activities.verify(session, me, tenant=tenant)
    if found.bad_number is None:
        return VerificationAnswer(whole=True, checked=found.checked, first_bad=None)
    bad = BadRow(number=found.bad_number, id=found.bad_id, reason=found.reason)
    return VerificationAnswer(whole=False, checked=found.checked, first_bad=bad)
