"""References to items of a long list: what stands for an item until something reads it."""

from collections.abc import Callable
from typing import Any

_KEY = "racine:item"


def reference(ref: str, index: int) -> dict[str, Any]:
    """Return what stands for the item of that index in the list behind a reference."""
    return {_KEY: [ref, index]}


def is_reference(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {_KEY}


def loaded(names: dict[str, Any], load: Callable[[str, int], Any]) -> dict[str, Any]:
    """Return what expressions may name with the items of all loops around in place.

    `load` gives an item by its reference and index.
    """
    return {
        name: value if name in ("params", "run", "tasks") else _loaded(value, load)
        for name, value in names.items()
    }


def _loaded(value: Any, load: Callable[[str, int], Any]) -> Any:
    if is_reference(value):
        return load(*value[_KEY])
    if isinstance(value, dict):  # the loop around
        return {name: _loaded(inner, load) for name, inner in value.items()}
    return value
