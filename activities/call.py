"""What an operation gets beside its input: whose run it serves and the world it may touch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from models.messages import RunContext
from models.session import Database
from racine.group import Operation


@dataclass(frozen=True)
class Call:
    db: Database
    context: RunContext
    task_key: str
    attempt: int
    heartbeat: Callable[..., None]


Performers = Mapping[Operation[Any, Any], Callable[[Call, Any], Any]]
"""Which function performs which operation; one such table a module."""
