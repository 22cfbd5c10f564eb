"""Bundles: the Python that jobs run, by the hash of its content."""

from typing import Annotated

from fastapi import APIRouter, Body, Query, status
from pydantic import AwareDatetime, BaseModel

from api.deps import Me, ReadSession, WriteSession
from api.pages import Cursor, Items, Limit
from services import bundles
from services.bundles import Bundle

router = APIRouter(prefix="/api/racine/bundles", tags=["workflows"])

Archive = Annotated[bytes, Body(media_type="application/zip")]
Digest = Annotated[str | None, Query(pattern=r"^[0-9a-f]{64}$")]


class BundleAnswer(BaseModel):
    id: str
    digest: str
    """SHA-256 of the archive: a job names its code by it, as `bundle`."""
    size: int
    files: int
    created_at: AwareDatetime
    created_by: str


@router.post("", operation_id="put_bundle", status_code=status.HTTP_201_CREATED)
def put(archive: Archive, session: WriteSession, me: Me) -> BundleAnswer:
    """Keep the code of jobs, as `racine deploy` packs it; the same bytes again are one bundle."""
    return _answer(bundles.put(session, me, archive))


@router.get("", operation_id="list_bundles")
def list_bundles(
    session: ReadSession, me: Me, digest: Digest = None, limit: Limit = 50, cursor: Cursor = None
) -> Items[BundleAnswer]:
    """List the workspace's bundles, newest first, or the one of that digest."""
    found = bundles.listed(session, me, digest=digest, limit=limit, cursor=cursor)
    return Items(items=[_answer(item) for item in found.items], next_cursor=found.next_cursor)


def _answer(bundle: Bundle) -> BundleAnswer:
    return BundleAnswer.model_validate(bundle, from_attributes=True)
