"""Hashing and checking passwords."""

import secrets
import threading
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from racine.errors import Fault, InvalidInput, Unavailable

MIN_LENGTH = 12
MAX_LENGTH = 128
_TELLING = 4
"""Shorter names are in many a password by chance."""

# OWASP Password Storage Cheat Sheet: Argon2id with 19 MiB, two passes, one lane.
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_slots = threading.BoundedSemaphore(4)
_WAIT_SECONDS = 10


def check_rules(password: str, *, email: str) -> None:
    """Raise InvalidInput for a password too short, too long, or too near to the account's name."""
    fault, name = "", email.partition("@")[0].lower()
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        fault = f"A password has {MIN_LENGTH} to {MAX_LENGTH} characters; this has {len(password)}."
    elif len(name) >= _TELLING and name in password.lower():
        fault = "The password holds the account's name."
    elif len(set(password)) < 5:
        fault = "The password is made of fewer than five different characters."
    if fault:
        raise InvalidInput(
            "The password cannot be used.",
            faults=[Fault("/password", fault, "Choose a longer phrase of several words.")],
        )


def hashed(password: str) -> str:
    """Return the Argon2id hash with its parameters and salt."""
    with _Slot():
        return _hasher.hash(password)


def matches(password: str, stored: str | None) -> bool:
    """Tell whether the password is the stored one; takes as long where nothing is stored."""
    with _Slot():
        try:
            return _hasher.verify(stored or _nobodys(), password) and stored is not None
        except (VerifyMismatchError, InvalidHashError):
            return False


@cache
def _nobodys() -> str:
    return _hasher.hash(secrets.token_hex(16))


class _Slot:
    """One of a few places for hashing: each takes 19 MiB and a core."""

    def __enter__(self) -> None:
        if not _slots.acquire(timeout=_WAIT_SECONDS):
            raise Unavailable("Too many people sign in at once.", next_step="Try again shortly.")

    def __exit__(self, *_: object) -> None:
        _slots.release()
