"""Identifiers: a prefix that names the kind, then a time-ordered 128-bit number."""

import secrets
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32 in lower case: no letter that reads like another."""

_LENGTH = 26


def new_id(prefix: str) -> str:
    """Return `prefix_` and 26 characters that sort by creation time to the millisecond (ULID)."""
    number = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    digits = [_ALPHABET[(number >> (5 * place)) & 31] for place in reversed(range(_LENGTH))]
    return f"{prefix}_{''.join(digits)}"
