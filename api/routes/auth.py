"""Signing in and out, and one's own account."""

from typing import Annotated

from fastapi import APIRouter, status
from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from api.deps import Asking, Me, Racine, ReadSession, WriteSession
from services import sign_in, users
from services.sign_in import Pair
from services.users import Profile

router = APIRouter(prefix="/api/auth", tags=["sign-in"])

Password = Annotated[SecretStr, Field(min_length=1, max_length=1024)]
PersonName = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]


class Credentials(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"email": "ada@example.org", "password": "four words of her own"}
        },
    )
    email: str = Field(min_length=1, max_length=254)
    password: Password


class RefreshRequest(BaseModel):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"refresh_token": "rt_…"}}
    )
    refresh_token: SecretStr = Field(min_length=1, max_length=200)


class PasswordChange(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "current": "four words of her own",
                "password": "five other words she likes",
            }
        },
    )
    current: Password
    password: Password


class ProfileChange(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"name": "Ada King"}})
    name: PersonName


class TokenPair(BaseModel):
    """Send the access token as `Authorization: Bearer …`; when it has run out, refresh."""

    access_token: str
    refresh_token: str
    token_type: str = "Bearer"
    expires_in: int = Field(description="Seconds that the access token is good for.")


class ProfileAnswer(BaseModel):
    id: str
    email: str
    name: str
    workspace_id: str | None
    permissions: list[str] = Field(description="What the caller may do in the whole workspace.")


@router.post("/login", operation_id="sign_in")
def login(body: Credentials, racine: Racine, asking: Asking) -> TokenPair:
    """Sign in by address and password."""
    password = body.password.get_secret_value()
    return _pair(sign_in.sign_in(racine.db, racine.signer, body.email, password, asking))


@router.post("/refresh", operation_id="refresh_sign_in")
def refresh(body: RefreshRequest, racine: Racine) -> TokenPair:
    """Trade a refresh token for a new pair; each can be used once."""
    return _pair(sign_in.refresh(racine.db, racine.signer, body.refresh_token.get_secret_value()))


@router.post("/logout", operation_id="sign_out", status_code=status.HTTP_204_NO_CONTENT)
def logout(me: Me, session: WriteSession) -> None:
    """End the sign-in; its tokens are refused from now on."""
    sign_in.sign_out(session, me)


@router.get("/profile", operation_id="get_profile")
def profile(me: Me, session: ReadSession) -> ProfileAnswer:
    """Tell who is signed in, where, and what they may do there."""
    return _profile(users.profile(session, me), me.workspace_id)


@router.patch("/profile", operation_id="update_profile")
def rename(body: ProfileChange, me: Me, session: WriteSession) -> ProfileAnswer:
    """Change the name one goes by."""
    users.rename(session, me, body.name)
    return _profile(users.profile(session, me), me.workspace_id)


@router.post("/password", operation_id="change_password", status_code=status.HTTP_204_NO_CONTENT)
def change_password(body: PasswordChange, me: Me, racine: Racine) -> None:
    """Change one's password; all other sign-ins end."""
    users.change_password(
        racine.db, me, body.current.get_secret_value(), body.password.get_secret_value()
    )


def _pair(pair: Pair) -> TokenPair:
    return TokenPair(
        access_token=pair.access_token,
        refresh_token=pair.refresh_token,
        expires_in=pair.expires_in,
    )


def _profile(found: Profile, workspace_id: str) -> ProfileAnswer:
    return ProfileAnswer(
        id=found.user.id,
        email=found.user.email,
        name=found.user.name,
        workspace_id=workspace_id or None,
        permissions=found.permissions,
    )
