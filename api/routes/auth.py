"""Signing in and out."""

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from api.deps import Asking, Me, Racine, ReadSession, WriteSession
from services import sign_in, users
from services.sign_in import Pair

router = APIRouter(prefix="/api/auth", tags=["sign-in"])


class Credentials(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"email": "ada@example.org", "password": "…"}]},
    )
    email: str = Field(min_length=1, max_length=254)
    password: SecretStr = Field(min_length=1, max_length=1024)


class RefreshRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")
    refresh_token: SecretStr = Field(min_length=1, max_length=200)


class TokenPair(BaseModel):
    """Send the access token as `Authorization: Bearer …`; when it has run out, refresh."""

    access_token: str
    refresh_token: str
    token_type: str = "Bearer"
    expires_in: int


class Profile(BaseModel):
    id: str
    email: str
    name: str
    workspace_id: str | None
    permissions: list[str]
    """What the caller may do in the workspace as a whole."""


@router.post("/login", operation_id="sign_in")
def login(body: Credentials, racine: Racine, asking: Asking) -> TokenPair:
    """Sign in by address and password."""
    return _pair(
        sign_in.sign_in(
            racine.db, racine.signer, body.email, body.password.get_secret_value(), asking
        )
    )


@router.post("/refresh", operation_id="refresh_sign_in")
def refresh(body: RefreshRequest, racine: Racine) -> TokenPair:
    """Trade a refresh token for a new pair; each can be used once."""
    return _pair(sign_in.refresh(racine.db, racine.signer, body.refresh_token.get_secret_value()))


@router.post("/logout", operation_id="sign_out", status_code=204)
def logout(me: Me, session: WriteSession) -> None:
    """End the sign-in; its tokens are refused from now on."""
    sign_in.sign_out(session, me)


@router.get("/profile", operation_id="get_profile")
def profile(me: Me, session: ReadSession) -> Profile:
    """Tell who is signed in, where, and what they may do there."""
    found = users.profile(session, me)
    return Profile(
        id=found.user.id,
        email=found.user.email,
        name=found.user.name,
        workspace_id=me.workspace_id or None,
        permissions=found.permissions,
    )


def _pair(pair: Pair) -> TokenPair:
    return TokenPair(
        access_token=pair.access_token,
        refresh_token=pair.refresh_token,
        expires_in=pair.expires_in,
    )
