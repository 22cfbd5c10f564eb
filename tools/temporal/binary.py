"""Finds Temporal's CLI, or gets it: the one way for make, the CLI and the tests."""

from pathlib import Path

VERSION = "1.8.2"


def temporal_binary() -> Path:
    """Return the path of a `temporal` binary of the pinned version."""
    return Path.home() / f".cache/racine/temporal/{VERSION}/temporal"
