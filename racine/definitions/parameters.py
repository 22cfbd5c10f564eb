"""What a run is given: defaults filled in, and every value checked against its JSON Schema."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from racine.definitions.document import Parameter
from racine.definitions.schemas import mismatches, pointer_of
from racine.errors import Fault, InvalidInput
from racine.expressions import templates_in

MAX_BYTES = 512 * 1024
"""Of a run's parameters as JSON: they stand in its history, and Temporal takes no more than 2 MiB
in one piece."""


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
    _check_size(values)
    return values


def _check_size(values: Mapping[str, Any]) -> None:
    size = len(json.dumps(values))
    if size > MAX_BYTES:
        raise InvalidInput(
            f"The parameters take {size:,} bytes; a run takes {MAX_BYTES:,}.",
            next_step='Leave the rows in a file or a table: a loop over {"file": …} or'
            ' {"sql": …} reads millions by reference.',
        )


def bind_faults(declared: Sequence[Parameter], given: Mapping[str, Any]) -> list[Fault]:
    """Return what can be said against parameters some of which only a run resolves."""
    plain = {name: value for name, value in given.items() if not templates_in(value)}
    faults = _unknown(declared, given)
    for parameter in declared:
        if parameter.name in plain:
            faults += _violations(parameter, plain[parameter.name])
        elif parameter.required and parameter.name not in given:
            faults.append(_missing(parameter))
    return faults


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
    return mismatches(parameter.json_schema, value, _pointer(parameter.name))


def _pointer(name: str) -> str:
    return f"/parameters{pointer_of([name])}"
