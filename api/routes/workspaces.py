"""Workspaces and their members."""

from typing import Annotated

from fastapi import APIRouter, Response, status
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from api.deps import Me, ReadSession, WriteSession
from api.pages import Cursor, Items, Limit
from api.preconditions import ExpectedVersion, etag
from racine.workspaces import Environment, WorkspaceKind, WorkspaceState
from services import workspaces
from services.workspaces import Member, Workspace

router = APIRouter(prefix="/api/racine/workspaces", tags=["workspaces"])

Title = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Description = Annotated[str, StringConstraints(max_length=2000)]


class WorkspaceRequest(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"slug": "sales", "title": "Sales data", "environment": "prod"}
        },
    )
    slug: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,98}[a-z0-9])?$")]
    title: Title
    description: Description = ""
    kind: WorkspaceKind = WorkspaceKind.TEAM
    environment: Environment = Environment.DEV


class WorkspaceChange(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"title": "Sales"}})
    title: Title | None = None
    description: Description | None = None
    kind: WorkspaceKind | None = None
    environment: Environment | None = None
    fairness_weight: float | None = Field(
        default=None,
        ge=0.001,
        le=1000,
        description="Share of the workers, relative to other workspaces'; 1 by default.",
    )


class WorkspaceAnswer(BaseModel):
    id: str
    slug: str
    title: str
    description: str
    kind: WorkspaceKind
    environment: Environment
    state: WorkspaceState
    fairness_weight: float
    version: int
    created_by: str
    created_at: AwareDatetime
    updated_at: AwareDatetime


class MemberRequest(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"roles": ["steward"]}})
    roles: list[Annotated[str, StringConstraints(max_length=60)]] = Field(
        min_length=1, max_length=20, description="Names of roles; the user holds exactly these."
    )


class MemberAnswer(BaseModel):
    user_id: str
    email: str
    name: str
    roles: list[str]


class MemberList(BaseModel):
    items: list[MemberAnswer]
    next_cursor: None = None


@router.post("", operation_id="create_workspace", status_code=status.HTTP_201_CREATED)
def create(
    body: WorkspaceRequest, me: Me, session: WriteSession, response: Response
) -> WorkspaceAnswer:
    """Make a workspace, owned by its maker."""
    found = workspaces.create(session, me, **body.model_dump())
    response.headers["Location"] = f"{router.prefix}/{found.id}"
    return _answer(found, response)


@router.get("", operation_id="list_workspaces")
def list_workspaces(
    me: Me, session: ReadSession, limit: Limit = 50, cursor: Cursor = None
) -> Items[WorkspaceAnswer]:
    """List the workspaces that one can enter, newest first."""
    found = workspaces.listed(session, me, limit=limit, cursor=cursor)
    return Items(
        items=[WorkspaceAnswer.model_validate(w, from_attributes=True) for w in found.items],
        next_cursor=found.next_cursor,
    )


@router.get("/{workspace}", operation_id="get_workspace")
def get(workspace: str, me: Me, session: ReadSession, response: Response) -> WorkspaceAnswer:
    """Read a workspace by its id or slug."""
    return _answer(workspaces.get(session, me, workspace), response)


@router.patch("/{workspace}", operation_id="update_workspace")
def change(
    workspace: str,
    body: WorkspaceChange,
    version: ExpectedVersion,
    me: Me,
    session: WriteSession,
    response: Response,
) -> WorkspaceAnswer:
    """Change what is given; `If-Match` says which state of it was read."""
    changes = body.model_dump(exclude_none=True)
    return _answer(workspaces.change(session, me, workspace, version, changes), response)


@router.post("/{workspace}/archive", operation_id="archive_workspace")
def archive(workspace: str, me: Me, session: WriteSession, response: Response) -> WorkspaceAnswer:
    """Take a workspace out of use; it can be read and restored."""
    return _answer(workspaces.archive(session, me, workspace), response)


@router.post("/{workspace}/restore", operation_id="restore_workspace")
def restore(workspace: str, me: Me, session: WriteSession, response: Response) -> WorkspaceAnswer:
    """Bring an archived workspace back into use."""
    return _answer(workspaces.restore(session, me, workspace), response)


@router.delete(
    "/{workspace}", operation_id="delete_workspace", status_code=status.HTTP_204_NO_CONTENT
)
def remove(workspace: str, version: ExpectedVersion, me: Me, session: WriteSession) -> None:
    """Delete an archived workspace."""
    workspaces.remove(session, me, workspace, version)


@router.post("/{workspace}/switch", operation_id="switch_workspace")
def switch(workspace: str, me: Me, session: WriteSession, response: Response) -> WorkspaceAnswer:
    """Make it the workspace of this sign-in's requests that name none."""
    return _answer(workspaces.switch(session, me, workspace), response)


@router.get("/{workspace}/members", operation_id="list_members")
def list_members(workspace: str, me: Me, session: ReadSession) -> MemberList:
    """List who holds a role on the workspace as a whole."""
    return MemberList(items=[_member(m) for m in workspaces.members(session, me, workspace)])


@router.put("/{workspace}/members/{user_id}", operation_id="set_member")
def set_member(
    workspace: str, user_id: str, body: MemberRequest, me: Me, session: WriteSession
) -> MemberAnswer:
    """Give a user exactly these roles on the workspace."""
    return _member(workspaces.set_member(session, me, workspace, user_id, body.roles))


@router.delete(
    "/{workspace}/members/{user_id}",
    operation_id="remove_member",
    status_code=status.HTTP_204_NO_CONTENT,
)
def remove_member(workspace: str, user_id: str, me: Me, session: WriteSession) -> None:
    """Take all of a user's roles on the workspace."""
    workspaces.remove_member(session, me, workspace, user_id)


def _answer(found: Workspace, response: Response) -> WorkspaceAnswer:
    response.headers["ETag"] = etag(found.version)
    return WorkspaceAnswer.model_validate(found, from_attributes=True)


def _member(member: Member) -> MemberAnswer:
    user = member.user
    return MemberAnswer(user_id=user.id, email=user.email, name=user.name, roles=member.roles)
