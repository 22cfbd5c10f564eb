"""Permissions, roles and the decision."""

from typing import Annotated

from fastapi import APIRouter, Query, Response, status
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from api.deps import Me, ReadSession, WriteSession
from racine.governance.rbac.permissions import ALL, GROUPS, VERBS
from services import access, grants, roles
from services.roles import Role

router = APIRouter(prefix="/api/rbac", tags=["access"])

Title = Annotated[str, StringConstraints(max_length=200, strip_whitespace=True)]
Patterns = Annotated[
    list[str],
    Field(max_length=60, description="Patterns `group:verb`; either part may be `*`."),
]


class PermissionsAnswer(BaseModel):
    groups: list[str]
    verbs: list[str]
    permissions: list[str]


class RoleChange(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"title": "Answers for sales data", "permissions": ["catalog:*"]}
        },
    )
    title: Title = ""
    permissions: Patterns


class RoleRequest(RoleChange):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "name": "sales_steward",
                "title": "Answers for sales data",
                "permissions": ["catalog:*", "classifications:approve"],
            }
        },
    )
    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
    shared: bool = Field(default=False, description="For all workspaces; else for this one.")


class RoleAnswer(BaseModel):
    id: str
    name: str
    title: str
    permissions: list[str]
    built_in: bool
    owner: str = Field(description="The workspace whose role it is, or `tenant`.")
    updated_at: AwareDatetime


class RoleList(BaseModel):
    items: list[RoleAnswer]
    next_cursor: None = None


class DecisionAnswer(BaseModel):
    allowed: bool
    reason: str
    grant_id: str | None


@router.get("/permissions", operation_id="list_permissions")
def permissions(me: Me, session: ReadSession) -> PermissionsAnswer:
    """List every permission there is."""
    access.signed_in(me)
    return PermissionsAnswer(groups=list(GROUPS), verbs=list(VERBS), permissions=list(ALL))


@router.get("/decide", operation_id="decide")
def decide(
    me: Me,
    session: ReadSession,
    permission: Annotated[str, Query(max_length=60, examples=["catalog:read"])],
    user_id: Annotated[str | None, Query(description="Oneself when left out.")] = None,
    scope: Annotated[
        str | None,
        Query(description="A workspace, source or asset, or `tenant`; else this workspace."),
    ] = None,
) -> DecisionAnswer:
    """Tell whether somebody may do something, and why."""
    found = grants.why(session, me, user_id or me.id, permission, scope)
    return DecisionAnswer(
        allowed=found.allowed,
        reason=found.reason,
        grant_id=found.grant.id if found.grant else None,
    )


@router.get("/roles", operation_id="list_roles")
def list_roles(me: Me, session: ReadSession) -> RoleList:
    """List the roles that can be granted in this workspace, by name."""
    return RoleList(items=[_answer(role) for role in roles.listed(session, me)])


@router.post("/roles", operation_id="create_role", status_code=status.HTTP_201_CREATED)
def create_role(body: RoleRequest, me: Me, session: WriteSession, response: Response) -> RoleAnswer:
    """Make a role of this workspace, or of all."""
    role = roles.create(
        session,
        me,
        name=body.name,
        title=body.title,
        permissions=body.permissions,
        shared=body.shared,
    )
    response.headers["Location"] = f"{router.prefix}/roles/{role.id}"
    return _answer(role)


@router.put("/roles/{role_id}", operation_id="update_role")
def change_role(role_id: str, body: RoleChange, me: Me, session: WriteSession) -> RoleAnswer:
    """Change a role for everybody who holds it."""
    return _answer(
        roles.change(session, me, role_id, title=body.title, permissions=body.permissions)
    )


@router.delete(
    "/roles/{role_id}", operation_id="delete_role", status_code=status.HTTP_204_NO_CONTENT
)
def delete_role(role_id: str, me: Me, session: WriteSession) -> None:
    """Delete a role that nobody holds."""
    roles.remove(session, me, role_id)


def _answer(role: Role) -> RoleAnswer:
    return RoleAnswer.model_validate(role, from_attributes=True)
