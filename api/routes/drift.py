"""Drift: what changed between scans."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, Field

from api.deps import Me, ReadSession
from api.pages import Cursor, Items, Limit
from services import scans

router = APIRouter(prefix="/api/scan-logic/drift", tags=["scan logic"])


class Change(BaseModel):
    id: str
    source_id: str
    scan_id: str
    previous_scan_id: str
    aspect: str = Field(description="`schema`, `volume`, `freshness` or `classification`.")
    kind: str
    asset: str
    column: str = Field(description="Empty where the whole asset changed.")
    subject: str = Field(description="The classifier of a classification's change.")
    before: str | None
    after: str | None
    magnitude: float = Field(description="From 0 to 1.")
    created_at: AwareDatetime


@router.get("", operation_id="list_drift")
def list_drift(
    me: Me,
    session: ReadSession,
    source_id: Annotated[str | None, Query(max_length=40)] = None,
    scan_id: Annotated[str | None, Query(max_length=40)] = None,
    aspect: Literal["schema", "volume", "freshness", "classification"] | None = None,
    least: Annotated[float, Query(ge=0, le=1, description="Of this magnitude or more.")] = 0.0,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Items[Change]:
    """List what changed between two scans of a source, newest first."""
    found = scans.drift_of(
        session, me, source_id=source_id, scan_id=scan_id, aspect=aspect, least=least, limit=limit,
        cursor=cursor,
    )  # fmt: skip
    items = [Change.model_validate(item, from_attributes=True) for item in found.items]
    return Items(items=items, next_cursor=found.next_cursor)
