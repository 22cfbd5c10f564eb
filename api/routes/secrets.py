"""Secrets that sources refer to as `secret:NAME`: written here, never read back."""

from fastapi import APIRouter, status
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SecretStr

from api.deps import Me, Racine, ReadSession, WriteSession
from api.pages import Cursor, Items, Limit
from services import secrets
from services.secrets import Secret

router = APIRouter(prefix="/api/data-sources/secrets", tags=["data sources"])


class SecretRequest(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"value": "…"}})
    value: SecretStr = Field(min_length=1, max_length=65_536)


class SecretAnswer(BaseModel):
    """A secret without its value: that cannot be had."""

    name: str
    created_at: AwareDatetime
    updated_at: AwareDatetime


@router.put("/{name}", operation_id="put_secret")
def put(
    name: str, body: SecretRequest, me: Me, racine: Racine, session: WriteSession
) -> SecretAnswer:
    """Store a secret, sealed, under its name."""
    value = body.value.get_secret_value()
    return _answer(secrets.put(session, me, racine.settings, name, value))


@router.get("", operation_id="list_secrets")
def list_secrets(
    me: Me, session: ReadSession, limit: Limit = 50, cursor: Cursor = None
) -> Items[SecretAnswer]:
    """List the names of the workspace's secrets."""
    found = secrets.listed(session, me, limit=limit, cursor=cursor)
    return Items(items=[_answer(s) for s in found.items], next_cursor=found.next_cursor)


@router.delete("/{name}", operation_id="delete_secret", status_code=status.HTTP_204_NO_CONTENT)
def delete(name: str, me: Me, session: WriteSession) -> None:
    """Delete a secret; sources that refer to it fail at their next use."""
    secrets.delete(session, me, name)


def _answer(secret: Secret) -> SecretAnswer:
    return SecretAnswer.model_validate(secret, from_attributes=True)
