"""Job documents that ship with Racine: ready to be saved as a job and run."""

import json
from functools import cache
from importlib.resources import files
from typing import Any

from racine.errors import NotFound


@cache
def names() -> tuple[str, ...]:
    """Return the templates' names, sorted."""
    found = (entry.name for entry in files(__name__).iterdir())
    return tuple(sorted(name.removesuffix(".json") for name in found if name.endswith(".json")))


def load(name: str) -> dict[str, Any]:
    """Return a template's job document, a new copy each time; raise NotFound for any other name."""
    if name not in names():
        raise NotFound(
            f"There is no template {name!r}.", next_step=f"Those that exist: {', '.join(names())}."
        )
    document: dict[str, Any] = json.loads(files(__name__).joinpath(f"{name}.json").read_text())
    return document
