"""What an asset is called and which id follows from that."""

import hashlib

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32, as in `racine.ids`."""


def asset_id(source_id: str, asset: str = "", column: str = "") -> str:
    """Return the id of a source, of an asset in it, or of an asset's column.

    It follows from the names alone (128 bits of SHA-256), so that facts, verdicts and findings may
    name an asset before it is published and after it is gone.
    """
    named = "\0".join((source_id, asset, column)).encode("utf-8", "surrogatepass")
    number = int.from_bytes(hashlib.sha256(named).digest()[:16])
    digits = [_ALPHABET[(number >> (5 * place)) & 31] for place in reversed(range(26))]
    return f"ast_{''.join(digits)}"


def qualified_name(*parts: str) -> str:
    """Return names joined by `/`; a slash inside a name is written `%2F`, a percent `%25`."""
    return "/".join(part.replace("%", "%25").replace("/", "%2F") for part in parts)
