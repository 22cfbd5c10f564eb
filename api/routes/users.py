"""Accounts, for those who administer them."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response, status
from pydantic import AwareDatetime, BaseModel, ConfigDict, EmailStr

from api.deps import Me, ReadSession, WriteSession
from api.pages import Cursor, Items, Limit
from api.routes.auth import Password, PersonName
from services import users
from services.users import User

router = APIRouter(prefix="/api/rbac/users", tags=["access"])

UserState = Literal["active", "disabled"]


class UserRequest(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "email": "grace@example.org",
                "name": "Grace Hopper",
                "password": "nanoseconds on a wire",
            }
        },
    )
    email: EmailStr
    name: PersonName
    password: Password


class UserChange(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"state": "disabled"}})
    name: PersonName | None = None
    state: UserState | None = None


class UserAnswer(BaseModel):
    id: str
    email: str
    name: str
    state: UserState
    created_at: AwareDatetime


@router.post("", operation_id="create_user", status_code=status.HTTP_201_CREATED)
def create(body: UserRequest, me: Me, session: WriteSession, response: Response) -> UserAnswer:
    """Make an account; it holds no right until it is granted a role."""
    user = users.create(
        session,
        me,
        email=body.email,
        name=body.name,
        password=body.password.get_secret_value(),
    )
    response.headers["Location"] = f"{router.prefix}/{user.id}"
    return _answer(user)


@router.get("", operation_id="list_users")
def list_users(
    me: Me,
    session: ReadSession,
    state: Annotated[UserState | None, Query()] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Items[UserAnswer]:
    """List accounts, newest first."""
    found = users.listed(session, me, state=state, limit=limit, cursor=cursor)
    return Items(items=[_answer(user) for user in found.items], next_cursor=found.next_cursor)


@router.get("/{user_id}", operation_id="get_user")
def get(user_id: str, me: Me, session: ReadSession) -> UserAnswer:
    """Read one account."""
    return _answer(users.get(session, me, user_id))


@router.patch("/{user_id}", operation_id="update_user")
def change(user_id: str, body: UserChange, me: Me, session: WriteSession) -> UserAnswer:
    """Rename, disable or enable an account; disabling ends its sign-ins and keys at once."""
    return _answer(users.change(session, me, user_id, name=body.name, state=body.state))


def _answer(user: User) -> UserAnswer:
    return UserAnswer.model_validate(user, from_attributes=True)
