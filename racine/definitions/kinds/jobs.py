"""Tasks that run other jobs."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from racine.definitions.parts import TEXT, JobName, TaskKind, Tries, Values


class RunJobTask(TaskKind):
    """Runs another job of the workspace: a run of its own, recorded, that knows this one.

    A task that waits gives the outputs of that run and its `run_id`; it fails unless the run
    completes, and cancelling it cancels the run. One that does not wait gives `run_id` alone.
    """

    job: JobName
    version: Annotated[int, Field(ge=1)] | Literal["latest", "pinned"] = "latest"
    """`latest`: when the task begins. `pinned`: what was latest when this version was saved."""
    wait: bool = True
    job_parameters: dict[str, Any] = Field(default_factory=dict)

    TEMPLATES: ClassVar = ("job_parameters",)

    @property
    def tries(self) -> Tries:
        return Tries.WHOLE

    def values(self) -> Values | None:
        return None if self.wait else {"run_id": TEXT}
