"""Takes secrets and raw data out of what is written down: by key, and by the look of a value."""

import re
from typing import Any

HIDDEN = "[redacted]"

_SECRET_KEY = re.compile(
    r"(passw(or)?d|passphrase|secret|token|api_?key|authorization|cookie|private_?key|signature)",
    re.IGNORECASE,
)
_RAW_KEY = re.compile(r"^(samples?|examples?|raw(_.*)?|raw_values?|preview)$", re.IGNORECASE)
_SECRET_VALUE = re.compile(
    r"(?P<user>://[^/\s:@]*:)[^/\s@]+(?=@)"  # the password of a URL
    r"|\beyJ[\w-]{8,}\.[\w-]+\.[\w-]+"  # a JSON Web Token
    r"|\brk_[0-9A-Za-z_-]{20,}"  # a Racine API key
)


def redact(value: Any, key: str = "") -> Any:
    """Return the value with secrets and raw data replaced; references to secrets stay."""
    if isinstance(value, dict):
        return {str(name): redact(inner, str(name)) for name, inner in value.items()}
    if _hides(key, value):
        return HIDDEN
    if isinstance(value, list | tuple):
        return [redact(inner, key) for inner in value]
    if isinstance(value, str):
        return redact_text(value)
    return value


def redact_text(text: str) -> str:
    """Return the text without the passwords, tokens and keys that can be told by their look."""
    return _SECRET_VALUE.sub(lambda found: f"{found['user'] or ''}{HIDDEN}", text)


def _hides(key: str, value: Any) -> bool:
    if value is None or isinstance(value, bool | int | float):
        return False
    if _SECRET_KEY.search(key) and not _is_reference(value):
        return True
    return bool(_RAW_KEY.match(key))


def _is_reference(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(("env:", "file:", "secret:"))
