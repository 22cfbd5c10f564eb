"""Runs as people look at them, each view in one request."""

from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from api.deps import Me, Racine, ReadSession
from racine.engine.states import FINAL_RUN_STATES
from racine.errors import Unavailable
from services import summaries, waiting

router = APIRouter(prefix="/api/racine/workflows", tags=["insights"])

Runs = Annotated[int, Query(ge=1, le=100, description="Runs to look back on.")]


class Read(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class SegmentAnswer(Read):
    attempt: int
    started_at: datetime
    ended_at: datetime | None
    state: str


class TaskAnswer(Read):
    key: str
    kind: str
    operation: str
    state: str
    waiting: str = Field(
        description="Why it is not at work, or was left out; empty for one that is or has run."
    )
    error: dict[str, Any] | None
    depends_on: list[dict[str, Any]]
    started_at: datetime | None
    ended_at: datetime | None
    segments: list[SegmentAnswer] = Field(description="Its attempts, first to last.")


class GraphAnswer(BaseModel):
    run_id: str
    state: str
    tasks: list[TaskAnswer]
    critical_path: list[str] = Field(description="The tasks that the end waited for.")


class MatrixRun(BaseModel):
    id: str
    version: int
    state: str
    created_at: datetime
    states: str = Field(description="A letter for each task of the version; see `legend`.")
    starts: list[int | None] = Field(description="Milliseconds after the first task's start.")
    durations: list[int | None] = Field(description="Milliseconds from first start to end.")
    attempts: list[int]


class MatrixAnswer(BaseModel):
    legend: dict[str, str]
    versions: dict[int, list[str]] = Field(description="Task keys of each version that was run.")
    runs: list[MatrixRun] = Field(description="Newest first.")


class FailureGroup(Read):
    fingerprint: str
    task_key: str
    code: str
    message: str
    run_ids: list[str]


class FailuresAnswer(BaseModel):
    items: list[FailureGroup] = Field(description="The most frequent first.")


@router.get("/executions/{run_id}/graph", operation_id="get_execution_graph")
def graph(run_id: str, session: ReadSession, racine: Racine, me: Me) -> GraphAnswer:
    """Return the run's tasks with state, attempts and edges: its graph and its Gantt chart."""
    run, views = summaries.of_run(session, me, run_id)
    live = waiting.Live()
    if run.state not in FINAL_RUN_STATES:
        with suppress(Unavailable):
            live = anyio.from_thread.run(waiting.live, racine.temporal, run)
    waiting.explain(run, views, waiting.known(session, run), live)
    return GraphAnswer(
        run_id=run.id,
        state=run.state,
        tasks=[TaskAnswer.model_validate(view) for view in views],
        critical_path=summaries.critical_path(views),
    )


@router.get("/{job_id}/matrix", operation_id="get_workflow_matrix")
def matrix(job_id: str, session: ReadSession, me: Me, runs: Runs = 25) -> MatrixAnswer:
    """Return a job's last runs by its tasks."""
    versions, rows = summaries.matrix(session, me, job_id, runs)
    return MatrixAnswer(
        legend={letter: state.value for state, letter in summaries.LETTERS.items()},
        versions=versions,
        runs=[
            MatrixRun(
                id=row.run.id,
                version=row.run.job_version,
                state=row.run.state,
                created_at=row.run.created_at,
                states=row.states,
                starts=row.starts,
                durations=row.durations,
                attempts=row.attempts,
            )
            for row in rows
        ],
    )


@router.get("/{job_id}/failures", operation_id="get_workflow_failures")
def failures(job_id: str, session: ReadSession, me: Me, runs: Runs = 100) -> FailuresAnswer:
    """Group what failed in a job's last runs by likeness."""
    found = summaries.failures(session, me, job_id, runs)
    return FailuresAnswer(items=[FailureGroup.model_validate(group) for group in found])
