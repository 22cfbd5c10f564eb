"""Passwords, their hashes, and tokens."""

import re

_HASH = re.compile(
    r"\$(?:2[abxy]|1|5|6|argon2[id]{1,2}|apr1|P|H|pbkdf2[\w-]*|scrypt|y)\$\S+|\{(?:SSHA|SHA|CRYPT|MD5|"
    r"SMD5|SHA256|SSHA256|SSHA512|bcrypt|noop)\}\S+|(?:pbkdf2|scrypt|bcrypt|argon2|sha1|md5)[\w:]*\$\S+",
    re.IGNORECASE,
)
_HEX = re.compile(
    r"(?:0x)?(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{56}|[0-9a-f]{64}|[0-9a-f]{128})", re.I
)
_TOKEN = re.compile(
    r"eyJ[\w-]{8,}\.[\w-]+\.[\w-]*|AKIA[0-9A-Z]{16}|gh[pousr]_\w{36,}|github_pat_\w{40,}|glpat-[\w-]{20}|"
    r"xox[abprs]-[\w-]{10,}|sk_(?:live|test)_\w{16,}|SG\.[\w-]{16,}\.[\w-]{16,}|sk-[\w-]{20,}|"
    r"npm_\w{36}|pypi-[\w-]{16,}|AIza[\w-]{35}|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*"
)
_CLASSES = tuple(map(re.compile, (r"[a-z]", r"[A-Z]", r"[0-9]", r"[^\w\s]")))


def is_password_hash(value: str) -> bool:
    """A salted hash in crypt, LDAP or Django form."""
    return _HASH.fullmatch(value) is not None


def is_hex_digest(value: str) -> bool:
    """A hexadecimal digest of MD5, SHA-1 or SHA-2 length."""
    return _HEX.fullmatch(value) is not None


def is_secret_token(value: str) -> bool:
    """A token with the fixed prefix of its issuer, a JWT or a PEM private key."""
    return _TOKEN.fullmatch(value) is not None


def is_plain_password(value: str) -> bool:
    """6 to 32 characters without blanks from at least three of four character classes."""
    if (
        not 6 <= len(value) <= 32
        or " " in value
        or "/" in value
        or ("@" in value[1:-1] and "." in value)
    ):
        return False
    return sum(kind.search(value) is not None for kind in _CLASSES) >= 3
