"""Evidence from a column's values, and the verdict that follows from it."""

import re
from collections.abc import Mapping
from typing import Any

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[a-z]{2,}", re.IGNORECASE)


def gather(values: Mapping[str, int]) -> dict[str, Any]:
    """Return value-free evidence of distinct values with their counts: hits per detector."""
    return {"distinct": len(values), "hits": {"email": sum(map(_is_email, values))}}


def decide(name: str, evidence: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the classifications of a column, best first."""
    share = evidence["hits"]["email"] / max(evidence["distinct"], 1)
    if share < 0.6:
        return []
    return [{"id": "email", "kind": "email", "confidence": round(share, 3), "evidence": evidence}]


def _is_email(value: str) -> bool:
    return _EMAIL.fullmatch(value) is not None
