"""A governance group and the typed operations it offers to jobs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

InputT = TypeVar("InputT", bound=BaseModel)
ResultT = TypeVar("ResultT", bound=BaseModel)


class Payload(BaseModel):
    """Base of every operation's input and result: frozen, unknown fields are faults."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, eq=False)
class Operation(Generic[InputT, ResultT]):
    """One thing a group can do, by its wire name; served as a Temporal activity of that name."""

    name: str
    input: type[InputT]
    result: type[ResultT]
    summary: str
    judge: Callable[[InputT], ResultT] | None = None
    """The work itself where it is pure; without it, `activities/` performs the operation."""
    example: dict[str, Any] = field(default_factory=dict)
    permission: str = ""
    """What the actor of a run needs, as `group:verb`; empty asks for nothing more."""
    timeout_seconds: int = 600
    heartbeat_seconds: int | None = None
    opens_source: bool = False
    """Whether it connects to the source of its input's `source_id` or `scan_id`."""
    origin: str = ""
    """Module and function of a user's own operation."""


@dataclass(frozen=True)
class Group:
    """A domain of governance: its name and operations."""

    name: str
    title: str
    operations: tuple[Operation[Any, Any], ...] = ()
