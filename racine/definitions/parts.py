"""What every part of a job document is made of, and what a kind of task says about itself."""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, StringConstraints

from racine.errors import Fault

if TYPE_CHECKING:
    from racine.definitions.document import Task

TaskKey = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$")]
QueueName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,49}$")]
JobName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$")]


Values = Mapping[str, Mapping[str, Any]]
"""JSON Schemas of a task's values, by name."""

ANYTHING: Mapping[str, Any] = {}
TEXT: Mapping[str, Any] = {"type": "string"}
TEXTS: Mapping[str, Any] = {"type": "array", "items": TEXT}
COUNT: Mapping[str, Any] = {"type": "integer"}
FLAG: Mapping[str, Any] = {"type": "boolean"}


class Part(BaseModel):
    """Base of the document's parts: frozen, and a field nobody knows is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Tries(StrEnum):
    """What trying a failed task again does."""

    ATTEMPTS = "attempts"
    """An activity does its work: it is attempted again, by the task's policy or the job's."""
    WHOLE = "whole"
    """All of it begins again, where the task itself has a policy or rules for that."""
    ASKED = "asked"
    """People are asked again: only a rule says so, as their answer is no fault."""
    NEVER = "never"
    """It would end as it did."""


class TaskKind(Part):
    """Base of what a task may do: a field of `Task` of such a type is one more kind.

    A kind that holds a sub-graph calls it `tasks`.
    """

    TEMPLATES: ClassVar[tuple[str, ...]] = ()
    """Fields in which templates may stand."""
    CONDITIONS: ClassVar[tuple[str, ...]] = ()
    """Fields that are bare CEL."""
    PARSED: ClassVar[bool] = False
    """Whether what templates give has to be of the types of its fields."""
    POOLED: ClassVar[bool] = False
    """Whether an activity carries it out, and so may need slots of a pool."""
    RESULTS: ClassVar[tuple[str, ...]] = ()
    """Fields, templates or CEL, that are asked over the tasks inside it once those have ended."""
    VALUES: ClassVar[Values | None] = None
    """Its values; None when anything may be in them."""
    ALWAYS: ClassVar[Values] = {}
    """Values that it has beside those that the task's `outputs` declare."""

    @property
    def tries(self) -> Tries:
        return Tries.ATTEMPTS

    @property
    def once(self) -> bool:
        """Whether it is tried once unless its task says otherwise: trying again has an effect."""
        return False

    @property
    def seconds(self) -> float | None:
        """Time limit of an attempt unless the task says otherwise; None: the job's."""
        return None

    def asks(self) -> Mapping[str, str]:
        """Return the permissions that its run's actor needs, each with what asks for it."""
        return {}

    def templated(self) -> Mapping[str, Any]:
        """Return what may hold templates, by field."""
        return {name: getattr(self, name) for name in self.TEMPLATES}

    def outcomes(self) -> list[str] | None:
        """Return the outcomes it may end with; None for a kind that decides nothing."""
        return None

    def values(self) -> Values | None:
        """Return its values; None when anything may be in them."""
        return self.VALUES

    def inner(self) -> Sequence["Task"]:
        """Return the tasks inside it."""
        tasks: Sequence[Task] = getattr(self, "tasks", ())
        return tasks

    def variables(self) -> list[str]:
        """Return the names that mean something in the tasks inside it."""
        return []

    def faults(self, pointer: str) -> Iterator[Fault]:
        """Yield what is wrong with it beyond the types of its fields; `pointer` is its own."""
        yield from ()
