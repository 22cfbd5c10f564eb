"""Access tokens (JWT), refresh tokens and API keys: making them and reading them."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from racine.errors import Unauthenticated

ACCESS_LIFE = timedelta(minutes=15)
SIGN_IN_LIFE = timedelta(days=30)
KEY_PREFIX = "rk_"

_ALGORITHM = "HS256"
_ISSUER = "racine"
_AUDIENCE = "racine-api"
_TYPE = "at+jwt"
"""RFC 9068: keeps any other kind of token from passing as an access token."""


@dataclass(frozen=True)
class Claims:
    """Whom an access token names, and the sign-in it belongs to."""

    user_id: str
    sign_in_id: str


class Signer:
    """Makes and reads access tokens with one key and one algorithm."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.kid = hashlib.sha256(key).hexdigest()[:16]

    def issue(self, claims: Claims) -> str:
        import jwt  # here: it brings cryptography along

        moment = datetime.now(UTC)
        body = {
            "iss": _ISSUER,
            "aud": _AUDIENCE,
            "sub": claims.user_id,
            "sid": claims.sign_in_id,
            "iat": moment,
            "exp": moment + ACCESS_LIFE,
        }
        return jwt.encode(
            body, self._key, algorithm=_ALGORITHM, headers={"kid": self.kid, "typ": _TYPE}
        )

    def read(self, token: str) -> Claims:
        """Return the claims; raise Unauthenticated for a token not ours, not now or not whole."""
        import jwt

        try:
            found = jwt.decode_complete(
                token,
                self._key,
                algorithms=[_ALGORITHM],
                audience=_AUDIENCE,
                issuer=_ISSUER,
                options={"require": ["exp", "iat", "sub", "sid", "aud", "iss"]},
            )
        except jwt.ExpiredSignatureError:
            raise Unauthenticated(
                "The access token has run out.", next_step="POST /api/auth/refresh."
            ) from None
        except jwt.PyJWTError:
            raise _refused() from None
        if found["header"].get("kid") != self.kid or found["header"].get("typ") != _TYPE:
            raise _refused()
        return Claims(str(found["payload"]["sub"]), str(found["payload"]["sid"]))


def new_secret(prefix: str = "") -> str:
    """Return a secret of 256 bits."""
    return prefix + secrets.token_urlsafe(32)


def fingerprint(secret: str) -> str:
    """Return what is stored of a secret: with 256 bits of chance, a fast hash is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _refused() -> Unauthenticated:
    return Unauthenticated("The access token is not valid.", next_step="Sign in again.")
