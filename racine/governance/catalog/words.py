"""Cuts identifiers and texts into words, the same for what is indexed and what is asked."""

import re
import unicodedata

_PART = re.compile(r"[^\W\d_]+|\d+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_MOST = 400
"""Words kept of one text: a description is found by its beginning."""


def words(text: str) -> list[str]:
    """Return the words of identifiers and prose in lower case and without accents.

    `customerEmail_2` gives customer, email, 2, and as a whole customeremail2.
    """
    found: list[str] = []
    for token in text.split():
        parts = [p for piece in _PART.findall(token) for p in _CAMEL.split(piece)]
        folded = [_fold(part) for part in parts if part]
        found += folded
        if len(folded) > 1:
            found.append("".join(folded))
        if len(found) >= _MOST:
            break
    return found[:_MOST]


def asked(text: str) -> list[str]:
    """Return the words that a question asks for: without the joined forms."""
    parts = [p for piece in _PART.findall(text) for p in _CAMEL.split(piece)]
    return [_fold(part) for part in parts if part][:20]


def _fold(word: str) -> str:
    plain = unicodedata.normalize("NFKD", word.casefold())
    return "".join(char for char in plain if not unicodedata.combining(char))
