"""What probes, monitors and operators ask."""

from importlib.metadata import PackageNotFoundError, version

import anyio
from fastapi import APIRouter, Response, status
from pydantic import BaseModel, Field

from api import metrics
from api.deps import Me, Racine, ReadSession
from models import revision
from services import access, health
from services.health import Part

router = APIRouter(tags=["health"])


class PartAnswer(BaseModel):
    name: str
    ok: bool
    reason: str = Field(description="Why it does not work; empty while it does.")
    milliseconds: float | None = None


class QueueAnswer(BaseModel):
    name: str
    workers: int | None = Field(description="Null when Temporal could not be asked.")
    reason: str


class ReadinessAnswer(BaseModel):
    ready: bool
    parts: list[PartAnswer]


class HealthAnswer(BaseModel):
    ok: bool
    parts: list[PartAnswer]
    queues: list[QueueAnswer]
    groups: list[PartAnswer]


class VersionAnswer(BaseModel):
    version: str
    schema_revision: str


@router.get("/livez", operation_id="livez")
async def livez() -> dict[str, bool]:
    """Tell that the process runs."""
    return {"alive": True}


@router.get("/readyz", operation_id="readyz", responses={503: {"model": ReadinessAnswer}})
async def readyz(racine: Racine, response: Response) -> ReadinessAnswer:
    """Tell whether requests can be served, and which part is missing; 503 while one is."""
    parts = [*await health.stored(racine.db), _temporal(racine.link.reason)]
    ready = all(part.ok for part in parts)
    if not ready:
        response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
        response.headers["Retry-After"] = "2"
    return ReadinessAnswer(ready=ready, parts=[_part(part) for part in parts])


@router.get("/version", operation_id="version")
async def version_() -> VersionAnswer:
    """Tell which release runs."""
    try:
        release = version("racine")
    except PackageNotFoundError:
        release = "0"
    return VersionAnswer(version=release, schema_revision=revision.head())


@router.get("/metrics", operation_id="metrics", response_class=Response)
def metrics_() -> Response:
    """Return counts and durations for Prometheus."""
    return metrics.exposition()


@router.get(
    "/api/racine/orchestration/health", operation_id="orchestration_health", tags=["orchestration"]
)
def orchestration_health(me: Me, session: ReadSession, racine: Racine) -> HealthAnswer:
    """Tell how the seven groups, the workers of each queue, the database and Temporal are."""
    access.require(session, me, "orchestration:read")
    temporal = _temporal(racine.link.reason)
    client = racine.temporal if temporal.ok else None
    found = anyio.from_thread.run(health.everything, racine.db, temporal, client)
    return HealthAnswer(
        ok=found.ok,
        parts=[_part(part) for part in found.parts],
        queues=[QueueAnswer(**vars(queue)) for queue in found.queues],
        groups=[_part(group) for group in found.groups],
    )


def _temporal(reason: str | None) -> Part:
    return Part("temporal", reason is None, reason or "")


def _part(part: Part) -> PartAnswer:
    return PartAnswer(**vars(part))
