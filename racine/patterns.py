"""Patterns that people write for names: `*` and `?`, or `re:` and a regular expression.

Regular expressions run on RE2, whose time grows with the text alone, whatever the expression.
"""

from collections.abc import Callable
from typing import Any

import re2

from racine.errors import InvalidInput

MAX_LENGTH = 500
_REGEX = "re:"


def matcher(pattern: str) -> Callable[[str], bool]:
    """Return whether a whole name fits, case-insensitively; raise InvalidInput for no pattern."""
    if not pattern or len(pattern) > MAX_LENGTH:
        raise InvalidInput(f"A pattern has 1 to {MAX_LENGTH} characters.")
    text = pattern.removeprefix(_REGEX) if pattern.startswith(_REGEX) else _from_glob(pattern)
    found = compiled(text, case_sensitive=False)
    return lambda name: found.fullmatch(name) is not None


def compiled(text: str, *, case_sensitive: bool = True) -> Any:
    """Return a regular expression of RE2; raise InvalidInput for what is none."""
    options = re2.Options()
    options.case_sensitive = case_sensitive
    options.log_errors = False
    try:
        return re2.compile(text, options)
    except re2.error as fault:
        said = fault.args[0]
        raise InvalidInput(
            f"{text!r} is no regular expression: "
            f"{said.decode(errors='replace') if isinstance(said, bytes) else said}.",
            next_step="RE2 knows no look-around and no back-references.",
        ) from None


def _from_glob(pattern: str) -> str:
    parts = {"*": ".*", "?": "."}
    return "".join(parts.get(char) or re2.escape(char) for char in pattern)
