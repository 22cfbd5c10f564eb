"""The one wrapper around JSON Schema: local schemas only, patterns in linear time."""

import json
from functools import lru_cache
from typing import Any

from racine.errors import Fault, InvalidInput

_MASK = "the value"
"""Stands in messages where the value would: outputs may hold what no history may show."""


def schema_fault(schema: dict[str, Any]) -> str | None:
    """Return what is wrong with a JSON Schema (draft 2020-12), None when it can be used."""
    try:
        _validator(json.dumps(schema, sort_keys=True), False)
    except InvalidInput as fault:
        return fault.message
    return None


def mismatches(
    schema: dict[str, Any], value: Any, pointer: str = "", *, masked: bool = False
) -> list[Fault]:
    """Return every place where a JSON value does not fit; `masked` keeps values out of messages."""
    validator = _validator(json.dumps(schema, sort_keys=True), masked)
    return [
        Fault(pointer + pointer_of(error.instance_path), error.message, code=error.kind.name)
        for error in validator.iter_errors(value)
    ]


def pointer_of(path: Any) -> str:
    """Return the JSON pointer (RFC 6901) of a path of keys and positions."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)


@lru_cache(maxsize=1024)
def _validator(schema: str, masked: bool) -> Any:
    import jsonschema_rs  # here: a process that checks no parameters need not hold it

    try:
        return jsonschema_rs.validator_for(
            json.loads(schema),
            offline=True,
            validate_formats=True,
            pattern_options=jsonschema_rs.RegexOptions(),
            mask=_MASK if masked else None,
        )
    except jsonschema_rs.ValidationError as fault:
        place = pointer_of(fault.instance_path)
        raise InvalidInput(f"{fault.message}{f' at {place}' if place else ''}") from None
