"""API keys of one's own."""

from typing import Annotated

from fastapi import APIRouter, Response, status
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from api.deps import Me, ReadSession, WriteSession
from api.pages import Cursor, Items, Limit
from services import api_keys
from services.api_keys import ApiKey

router = APIRouter(prefix="/api/auth/keys", tags=["sign-in"])


class KeyRequest(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"name": "nightly scans", "permissions": ["workflows:read", "workflows:run"]}
        },
    )
    name: Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]
    permissions: list[str] = Field(
        min_length=1, max_length=60, description="Patterns `group:verb`; either part may be `*`."
    )
    expires_at: AwareDatetime | None = None


class KeyAnswer(BaseModel):
    id: str
    name: str
    prefix: str = Field(description="The first characters of the key, to tell keys apart.")
    workspace_id: str
    permissions: list[str]
    created_at: AwareDatetime
    expires_at: AwareDatetime | None
    last_used_at: AwareDatetime | None
    revoked_at: AwareDatetime | None


class NewKeyAnswer(KeyAnswer):
    key: str = Field(description="The key itself: shown now and never again.")


@router.post("", operation_id="create_api_key", status_code=status.HTTP_201_CREATED)
def create(body: KeyRequest, me: Me, session: WriteSession, response: Response) -> NewKeyAnswer:
    """Make a key for the current workspace, with no more rights than one's own."""
    made = api_keys.create(
        session, me, name=body.name, permissions=body.permissions, expires_at=body.expires_at
    )
    response.headers["Location"] = f"{router.prefix}/{made.key.id}"
    return NewKeyAnswer(**_answer(made.key).model_dump(), key=made.secret)


@router.get("", operation_id="list_api_keys")
def list_keys(
    me: Me, session: ReadSession, limit: Limit = 50, cursor: Cursor = None
) -> Items[KeyAnswer]:
    """List one's keys in the current workspace, newest first."""
    found = api_keys.listed(session, me, limit=limit, cursor=cursor)
    return Items(items=[_answer(key) for key in found.items], next_cursor=found.next_cursor)


@router.delete("/{key_id}", operation_id="revoke_api_key", status_code=status.HTTP_204_NO_CONTENT)
def revoke(key_id: str, me: Me, session: WriteSession) -> None:
    """End a key at once."""
    api_keys.revoke(session, me, key_id)


def _answer(key: ApiKey) -> KeyAnswer:
    return KeyAnswer.model_validate(key, from_attributes=True)
