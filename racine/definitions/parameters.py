"""What a run is given: defaults filled in, and every value checked against its JSON Schema."""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import jsonschema_rs

from racine.definitions.document import Parameter
from racine.errors import Fault, InvalidInput


def bind(declared: Sequence[Parameter], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a run's parameters by name.

    Raises InvalidInput with every fault at once; pointers are into `/parameters`.
    """
    faults = _unknown(declared, given)
    values: dict[str, Any] = {}
    for parameter in declared:
        if parameter.name in given:
            values[parameter.name] = given[parameter.name]
            faults += _violations(parameter, given[parameter.name])
        elif parameter.required:
            faults.append(_missing(parameter))
        else:
            values[parameter.name] = parameter.default
    if faults:
        raise InvalidInput("The parameters do not fit the job.", faults=faults)
    return values


def _unknown(declared: Sequence[Parameter], given: Mapping[str, Any]) -> list[Fault]:
    names = [parameter.name for parameter in declared]
    known = f"It has {', '.join(names)}." if names else "It has none."
    return [
        Fault(_pointer(name), f"The job has no parameter {name!r}.", known, "unknown_parameter")
        for name in given
        if name not in names
    ]


def _missing(parameter: Parameter) -> Fault:
    message = f"The parameter {parameter.name!r} is required."
    return Fault(_pointer(parameter.name), message, parameter.description, "missing_parameter")


def _violations(parameter: Parameter, value: Any) -> list[Fault]:
    validator = _validator(json.dumps(parameter.json_schema, sort_keys=True))
    return [
        Fault(
            _pointer(parameter.name, *map(str, error.instance_path)), error.message, code="schema"
        )
        for error in validator.iter_errors(value)
    ]


@lru_cache(maxsize=1024)
def _validator(schema: str) -> jsonschema_rs.Validator:
    # Users write schemas: linear-time patterns, and no reference makes this process fetch a URL.
    return jsonschema_rs.validator_for(
        schema, offline=True, pattern_options=jsonschema_rs.RegexOptions()
    )


def _pointer(*path: str) -> str:
    escaped = (part.replace("~", "~0").replace("/", "~1") for part in path)
    return "/parameters/" + "/".join(escaped)
