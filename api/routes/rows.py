"""Rows that a task of a run has left behind, page by page."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from api.deps import Me, ReadSession
from services import rows

router = APIRouter(prefix="/api/racine/workflows", tags=["executions"])


class RowsAnswer(BaseModel):
    columns: list[str]
    count: int = Field(description="Rows in all.")
    items: list[Any] = Field(description="Rows in the order of the statement, each a list.")
    next_start: int | None = Field(description="Where the next page begins; null after the last.")


@router.get("/executions/{run_id}/tasks/{task_key}/rows", operation_id="get_task_rows")
def get_rows(
    run_id: str,
    task_key: str,
    session: ReadSession,
    me: Me,
    start: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> RowsAnswer:
    """Return rows that the latest attempt of a sql_task has kept."""
    found = rows.stretch(session, me, run_id, task_key, start, limit)
    return RowsAnswer(**vars(found))
