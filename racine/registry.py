"""Finds what can be run: the groups' operations, Racine's own, and those that users register."""

import importlib
import pkgutil
from collections.abc import Iterable
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from racine import governance, platform
from racine.errors import InvalidInput
from racine.group import Group, Operation

ENTRY_POINTS = "racine.operations"
"""Group of entry points by which an installed package announces its operations."""

_registered: dict[str, Operation[Any, Any]] = {}


@cache
def groups() -> tuple[Group, ...]:
    """Return the governance groups, by name, one for each folder of `racine/governance`."""
    names = sorted(module.name for module in pkgutil.iter_modules(governance.__path__))
    return tuple(importlib.import_module(f"{governance.__name__}.{name}").GROUP for name in names)


def operations() -> dict[str, Operation[Any, Any]]:
    """Return every operation that can be run, Racine's and the users' own, by wire name."""
    return {**_shipped(), **_registered}


def register(item: Operation[Any, Any]) -> None:
    """Add a user's operation; raise InvalidInput when its name is taken by another."""
    known = operations().get(item.name)
    if known is not None and known.origin != item.origin:
        raise InvalidInput(f"Two operations are named {item.name!r}.")
    _registered[item.name] = item


def load(modules: Iterable[str]) -> None:
    """Import the modules that register operations, and those that installed packages announce.

    Raises InvalidInput with the module that cannot be imported.
    """
    announced = (point.module for point in entry_points(group=ENTRY_POINTS))
    for name in dict.fromkeys([*modules, *announced]):
        try:
            importlib.import_module(name)
        except ImportError as fault:
            raise InvalidInput(
                f"The operations of {name!r} cannot be imported: {fault}.",
                next_step="Install the package, or correct RACINE_OPERATIONS.",
            ) from fault


def operation(name: str) -> Operation[Any, Any]:
    """Return the operation of that wire name; raise InvalidInput when there is none."""
    try:
        return operations()[name]
    except KeyError:
        raise InvalidInput(
            f"There is no operation {name!r}.",
            next_step="GET /api/racine/operations lists those that exist.",
        ) from None


@cache
def _shipped() -> dict[str, Operation[Any, Any]]:
    return _by_name([*platform.OPERATIONS, *(op for group in groups() for op in group.operations)])


def _by_name(found: Iterable[Operation[Any, Any]]) -> dict[str, Operation[Any, Any]]:
    by_name: dict[str, Operation[Any, Any]] = {}
    for item in found:
        if item.name in by_name:
            raise InvalidInput(f"Two operations are named {item.name!r}.")
        by_name[item.name] = item
    return by_name
