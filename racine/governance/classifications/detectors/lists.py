"""Closed lists of values: gender, marital status, ethnic origin, blood types and the like."""

from functools import cache
from importlib import resources

import yaml

from racine.governance.classifications.words import fold


@cache
def _index() -> dict[str, tuple[str, ...]]:
    text = resources.files("racine.governance.classifications").joinpath("data/values.yaml")
    listed: dict[str, list[str]] = yaml.load(text.read_text("utf-8"), yaml.CSafeLoader)
    index: dict[str, list[str]] = {}
    for detector, values in listed.items():
        for value in values:
            index.setdefault(fold(str(value)), []).append(detector)
    return {value: tuple(found) for value, found in index.items()}


def list_traits(value: str) -> tuple[str, ...]:
    """Return the ids of the closed lists that hold the value."""
    if len(value) > 40:
        return ()
    bare = fold(value).rstrip(".")
    return _index().get(
        bare.removeprefix("https://schema.org/").removeprefix("http://schema.org/"), ()
    )
