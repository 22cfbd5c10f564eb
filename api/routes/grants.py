"""Who holds which role where."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response, status
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.deps import Me, ReadSession, WriteSession
from api.pages import Cursor, Items, Limit
from services import grants
from services.grants import Grant, Wish

router = APIRouter(prefix="/api/rbac/grants", tags=["access"])


class GrantRequest(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "user_id": "usr_01k9xq3v5m2y8e7c4t6w0r1s2a",
                "role": "steward",
                "scope": "src_01k9xq3v5m2y8e7c4t6w0r1s2b",
            }
        },
    )
    user_id: str = Field(max_length=40)
    role: str = Field(max_length=60, description="A role's name.")
    scope: str = Field(
        max_length=40, description="`tenant`, or the id of a workspace, source or asset."
    )
    effect: Literal["allow", "deny"] = "allow"
    expires_at: AwareDatetime | None = None


class GrantAnswer(BaseModel):
    id: str
    user_id: str
    role: str
    scope: str
    effect: Literal["allow", "deny"]
    granted_by: str
    created_at: AwareDatetime
    expires_at: AwareDatetime | None


@router.post("", operation_id="create_grant", status_code=status.HTTP_201_CREATED)
def create(body: GrantRequest, me: Me, session: WriteSession, response: Response) -> GrantAnswer:
    """Give a user a role on a scope and all below it, or deny it there."""
    wish = Wish(body.user_id, body.role, body.scope, body.effect == "deny", body.expires_at)
    grant, role = grants.give(session, me, wish)
    response.headers["Location"] = f"{router.prefix}/{grant.id}"
    return _answer(grant, role.name)


@router.get("", operation_id="list_grants")
def list_grants(
    me: Me,
    session: ReadSession,
    user_id: Annotated[str | None, Query(max_length=40)] = None,
    scope: Annotated[str | None, Query(max_length=40)] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Items[GrantAnswer]:
    """List the grants in this workspace, newest first; `scope=tenant` lists those above it."""
    found = grants.listed(session, me, user_id=user_id, scope=scope, limit=limit, cursor=cursor)
    return Items(
        items=[_answer(grant, found.roles[grant.role_id]) for grant in found.page.items],
        next_cursor=found.page.next_cursor,
    )


@router.delete("/{grant_id}", operation_id="revoke_grant", status_code=status.HTTP_204_NO_CONTENT)
def revoke(grant_id: str, me: Me, session: WriteSession) -> None:
    """Take a grant back; it ends at once."""
    grants.revoke(session, me, grant_id)


def _answer(grant: Grant, role: str) -> GrantAnswer:
    return GrantAnswer(
        id=grant.id,
        user_id=grant.user_id,
        role=role,
        scope=grant.scope,
        effect="deny" if grant.denies else "allow",
        granted_by=grant.granted_by,
        created_at=grant.created_at,
        expires_at=grant.expires_at,
    )
