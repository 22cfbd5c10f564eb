"""Tasks that decide which way a run goes, and the one that does nothing."""

from typing import ClassVar

from pydantic import Field

from racine.definitions.parts import TEXT, TaskKind, Tries, Values


class ConditionTask(TaskKind):
    expression: str

    CONDITIONS: ClassVar = ("expression",)
    VALUES: ClassVar[Values] = {"outcome": TEXT}

    @property
    def tries(self) -> Tries:
        return Tries.NEVER

    def outcomes(self) -> list[str]:
        return ["true", "false"]


class SwitchTask(TaskKind):
    """Ends with the outcome that `on` gives, as text; what is no case takes the default."""

    on: str
    cases: list[str] = Field(min_length=1, max_length=100)
    default: str | None = None

    TEMPLATES: ClassVar = ("on",)
    VALUES: ClassVar[Values] = {"outcome": TEXT}

    @property
    def tries(self) -> Tries:
        return Tries.NEVER

    def outcomes(self) -> list[str]:
        return list(dict.fromkeys([*self.cases, *([self.default] if self.default else [])]))


class NoopTask(TaskKind):
    VALUES: ClassVar[Values] = {}

    @property
    def tries(self) -> Tries:
        return Tries.NEVER
