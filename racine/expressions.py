"""The one wrapper around CEL: `{{ expression }}` templates and bare conditions, bounded and strict.

Errors never count as true: every fault of the library, compiled or evaluated, becomes InvalidInput.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from cel_expr_python import cel

from racine.errors import InvalidInput

MAX_LENGTH = 4096
CONTEXTS = ("params", "tasks", "run", "item", "item_index")
_TEMPLATE = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_TASK_REFERENCE = re.compile(r"\btasks\.([A-Za-z_][A-Za-z0-9_]*)")
_STRING = re.compile(r"""("([^"\\]|\\.)*"|'([^'\\]|\\.)*')""")

_ENV = cel.NewEnv(variables=dict.fromkeys(CONTEXTS, cel.Type.DYN))


def check(expression: str) -> None:
    """Raise InvalidInput unless the expression parses and names only known contexts."""
    _compile(expression)


def task_references(expression: str) -> list[str]:
    """Return the task keys that an expression reads, in order of appearance, each once."""
    return list(dict.fromkeys(_TASK_REFERENCE.findall(_STRING.sub('""', expression))))


def templates_in(value: Any) -> list[str]:
    """Return every expression inside `{{ }}` anywhere in a JSON value."""
    if isinstance(value, str):
        return [found.strip() for found in _TEMPLATE.findall(value)]
    if isinstance(value, Mapping):
        return [e for item in value.values() for e in templates_in(item)]
    if isinstance(value, list):
        return [e for item in value for e in templates_in(item)]
    return []


def evaluate(expression: str, context: Mapping[str, Any]) -> Any:
    """Return the JSON value of a CEL expression over a JSON-mode context."""
    program = _compile(expression)
    data = {name: context.get(name, {}) for name in CONTEXTS}
    try:
        value = program.eval(data=data)
        if value.type() == cel.Type.ERROR:
            raise InvalidInput(f"{expression!r} failed: {value.value()}.")
        return value.plain_value()
    except RuntimeError as fault:
        raise InvalidInput(f"{expression!r} failed: {fault}.") from None


def is_true(expression: str, context: Mapping[str, Any]) -> bool:
    """Return a condition's verdict; anything but a boolean raises InvalidInput."""
    value = evaluate(expression, context)
    if not isinstance(value, bool):
        raise InvalidInput(f"{expression!r} gave {type(value).__name__}, a condition needs a bool.")
    return value


def resolve(value: Any, context: Mapping[str, Any]) -> Any:
    """Replace templates in a JSON value; a string that is one whole template keeps its type."""
    if isinstance(value, str):
        return _resolve_text(value, context)
    if isinstance(value, Mapping):
        return {key: resolve(item, context) for key, item in value.items()}
    if isinstance(value, list):
        return [resolve(item, context) for item in value]
    return value


def _resolve_text(text: str, context: Mapping[str, Any]) -> Any:
    whole = _TEMPLATE.fullmatch(text.strip())
    if whole and whole.group(1).count("{{") == 0:
        return evaluate(whole.group(1).strip(), context)
    return _TEMPLATE.sub(lambda found: _as_text(evaluate(found.group(1).strip(), context)), text)


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


@lru_cache(maxsize=4096)
def _compile(expression: str) -> cel.Expression:
    if len(expression) > MAX_LENGTH:
        raise InvalidInput(f"An expression has at most {MAX_LENGTH} characters.")
    try:
        return _ENV.compile(expression)
    except RuntimeError as fault:
        raise InvalidInput(f"{expression!r} is not valid CEL: {fault}") from None
