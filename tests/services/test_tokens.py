"""Access tokens that are not ours, not now, or not whole."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from racine.errors import Unauthenticated
from services.tokens import Claims, Signer

KEY = b"k" * 32
SIGNER = Signer(KEY)
CLAIMS = Claims("usr_1", "sgn_1")


def forged(*, key: bytes = KEY, header: dict[str, Any] | None = None, **changes: Any) -> str:
    """A token as ours but for what is named; None leaves a claim out."""
    moment = datetime.now(UTC)
    body = {
        "iss": "racine", "aud": "racine-api", "sub": "usr_1", "sid": "sgn_1", "iat": moment,
        "exp": moment + timedelta(minutes=5), **changes,
    }  # fmt: skip
    whole = {name: value for name, value in body.items() if value is not None}
    headers = {"kid": SIGNER.kid, "typ": "at+jwt"} | (header or {})
    return jwt.encode(whole, key, algorithm="HS256", headers=headers)


def unsigned() -> str:
    _, body, _ = forged().split(".")
    none = json.dumps({"alg": "none", "typ": "at+jwt", "kid": SIGNER.kid}).encode()
    return f"{base64.urlsafe_b64encode(none).decode().rstrip('=')}.{body}."


def swapped() -> str:
    moment = datetime.now(UTC)
    body = {"iss": "racine", "aud": "racine-api", "sub": "u", "sid": "s", "iat": moment}
    return jwt.encode(
        {**body, "exp": moment + timedelta(minutes=5)}, b"k" * 64, algorithm="HS512",
        headers={"kid": SIGNER.kid, "typ": "at+jwt"},
    )  # fmt: skip


LATER = datetime.now(UTC) + timedelta(hours=1)
BAD = {
    "another key": forged(key=b"x" * 32),
    "no signature": unsigned(),
    "another algorithm": swapped(),
    "run out": forged(exp=datetime.now(UTC) - timedelta(seconds=1)),
    "not yet": forged(nbf=LATER),
    "issued later": forged(iat=LATER),
    "no end": forged(exp=None),
    "another audience": forged(aud="other"),
    "no audience": forged(aud=None),
    "another issuer": forged(iss="other"),
    "nobody": forged(sub=None),
    "no sign-in": forged(sid=None),
    "an identity token": forged(header={"typ": "JWT"}),
    "another key's name": forged(header={"kid": "../../etc/passwd"}),
    "not a token": "abc",
    "nothing": "",
}


def test_our_own_token_is_read() -> None:
    assert SIGNER.read(SIGNER.issue(CLAIMS)) == CLAIMS
    assert SIGNER.read(forged()) == CLAIMS


@pytest.mark.parametrize("kind", BAD)
def test_every_other_token_is_refused(kind: str) -> None:
    with pytest.raises(Unauthenticated):
        SIGNER.read(BAD[kind])
