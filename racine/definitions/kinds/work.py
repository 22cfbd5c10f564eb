"""Tasks that do something: a group's operation, a function of the user's."""

import keyword
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

from pydantic import Field, StringConstraints

from racine.definitions.parts import TaskKind
from racine.errors import Fault


class OperationTask(TaskKind):
    operation: str
    input: dict[str, Any] = Field(default_factory=dict)

    TEMPLATES: ClassVar = ("input",)
    POOLED: ClassVar = True


class PythonTask(TaskKind):
    callable: Annotated[str, StringConstraints(pattern=r"^[\w.]+:[\w.]+$")]
    parameters: dict[str, Any] = Field(default_factory=dict)

    TEMPLATES: ClassVar = ("parameters",)
    POOLED: ClassVar = True

    def faults(self, pointer: str) -> Iterator[Fault]:
        names = self.callable.replace(":", ".").split(".")
        if not all(name.isidentifier() and not keyword.iskeyword(name) for name in names):
            yield Fault(
                f"{pointer}/callable",
                f"{self.callable!r} names no Python function.",
                "Write package.module:function.",
                "callable",
            )
