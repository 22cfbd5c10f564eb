"""Finds what can be run: the groups' operations, Racine's own, and those that users register."""

import importlib
import pkgutil
from collections.abc import Iterable
from functools import cache
from typing import Any

from racine import governance, platform
from racine.errors import InvalidInput
from racine.group import Group, Operation


@cache
def groups() -> tuple[Group, ...]:
    """Return the governance groups, by name, one for each folder of `racine/governance`."""
    names = sorted(module.name for module in pkgutil.iter_modules(governance.__path__))
    return tuple(importlib.import_module(f"{governance.__name__}.{name}").GROUP for name in names)


@cache
def operations() -> dict[str, Operation[Any, Any]]:
    """Return every operation that ships with Racine, by wire name."""
    return _by_name([*platform.OPERATIONS, *(op for group in groups() for op in group.operations)])


def operation(name: str) -> Operation[Any, Any]:
    """Return the operation of that wire name; raise InvalidInput when there is none."""
    try:
        return operations()[name]
    except KeyError:
        raise InvalidInput(
            f"There is no operation {name!r}.",
            next_step="GET /api/racine/operations lists those that exist.",
        ) from None


def _by_name(found: Iterable[Operation[Any, Any]]) -> dict[str, Operation[Any, Any]]:
    by_name: dict[str, Operation[Any, Any]] = {}
    for item in found:
        if item.name in by_name:
            raise InvalidInput(f"Two operations are named {item.name!r}.")
        by_name[item.name] = item
    return by_name
