"""Tasks that wait: for a time, for people."""

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, StringConstraints

from racine.definitions.parts import ANYTHING, FLAG, TEXT, TaskKind, Tries, Values
from racine.definitions.schemas import schema_fault
from racine.errors import Fault
from racine.expressions import has_template

SignalName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]{0,99}$")]


class WaitTask(TaskKind):
    """Waits so many seconds, until a moment, or for a signal from outside.

    A signal may come before its task has begun: it is kept for it. The task's values are then its
    `payload`, and `received`, false when the time limit passed and the task goes on.
    """

    duration_seconds: float | None = Field(default=None, gt=0, le=366 * 86_400)
    until: str | None = None
    """ISO 8601 with its offset, or a template of it; a moment gone by waits for nothing."""
    signal: SignalName | None = None
    payload_schema: dict[str, Any] | None = None
    """JSON Schema of the signal's payload; one that does not fit is refused when it is given."""
    timeout_seconds: float | None = Field(default=None, gt=0, le=366 * 86_400)
    """How long to wait for the signal."""
    on_timeout: Literal["FAIL", "CONTINUE"] = "FAIL"

    PARSED: ClassVar = True
    TEMPLATES: ClassVar = ("until",)

    @property
    def tries(self) -> Tries:
        return Tries.NEVER if self.signal is None else Tries.WHOLE

    def values(self) -> Values:
        if self.signal is None:
            return {}
        late = self.timeout_seconds is not None and self.on_timeout == "CONTINUE"
        payload = ANYTHING if late else self.payload_schema or ANYTHING
        return {"payload": payload, "received": FLAG}

    def faults(self, pointer: str) -> Iterator[Fault]:
        if (
            sum(given is not None for given in (self.duration_seconds, self.until, self.signal))
            != 1
        ):
            yield Fault(pointer, "It waits for a duration, a moment or a signal: for one of them.",
                        "Give duration_seconds, until or signal.", "wait")  # fmt: skip
        if self.signal is None and {"payload_schema", "timeout_seconds"} & self.model_fields_set:
            yield Fault(pointer, "payload_schema and timeout_seconds go with a signal.",
                        "Remove them.", "wait")  # fmt: skip
        if self.on_timeout == "CONTINUE":
            yield from _limitless(self.timeout_seconds, pointer)
        if self.payload_schema is not None and (fault := schema_fault(self.payload_schema)):
            yield Fault(f"{pointer}/payload_schema", f"This is not a usable JSON Schema: {fault}.",
                        "See json-schema.org, draft 2020-12.", "schema")  # fmt: skip
        if self.until is not None and not has_template(self.until) and not _moment(self.until):
            yield Fault(f"{pointer}/until", f"{self.until!r} is no moment with an offset.",
                        "Write it like 2026-11-21T07:00:00+00:00.", "wait")  # fmt: skip


class OnTimeout(StrEnum):
    FAIL = "FAIL"
    APPROVE = "APPROVE"
    REJECT = "REJECT"
    CONTINUE = "CONTINUE"
    """Go on, with an outcome to branch on: `timed_out`."""


class ApprovalTask(TaskKind):
    """Waits until enough people approve or one rejects; its outcome is which of both."""

    prompt: str = ""
    approvers: list[str] = Field(default_factory=list)
    """User ids and `role:NAME`; empty: whoever may approve in the workspace."""
    required: int = Field(default=1, ge=1, le=100)
    self_approval: bool = False
    """Whether who started the run may take part."""
    timeout_seconds: float | None = Field(default=None, gt=0, le=366 * 86_400)
    on_timeout: OnTimeout = OnTimeout.FAIL
    on_reject: Literal["FAIL", "CONTINUE"] = "FAIL"
    form: dict[str, Any] | None = None
    """JSON Schema of what whoever approves has to fill in."""

    TEMPLATES: ClassVar = ("prompt",)

    @property
    def tries(self) -> Tries:
        return Tries.ASKED

    def values(self) -> Values:
        said = {"type": "array", "items": {"type": "object"}}
        return {"outcome": TEXT, "approvals": said, "form": self.form or {"type": "object"}}

    def outcomes(self) -> list[str]:
        late = ["timed_out"] if self.on_timeout is OnTimeout.CONTINUE else []
        return ["approved", "rejected", *late]

    def faults(self, pointer: str) -> Iterator[Fault]:
        by_role = any(name.startswith("role:") for name in self.approvers)
        if 0 < len(self.approvers) < self.required and not by_role:
            yield Fault(f"{pointer}/required",
                        f"{self.required} shall approve; only {len(self.approvers)} may.",
                        "Name more approvers, or require fewer.", "approval")  # fmt: skip
        if self.on_timeout is not OnTimeout.FAIL:
            yield from _limitless(self.timeout_seconds, pointer)
        if self.form is not None and (fault := schema_fault(self.form)):
            yield Fault(f"{pointer}/form", f"This is not a usable JSON Schema: {fault}.",
                        "See json-schema.org, draft 2020-12.", "schema")  # fmt: skip


def _limitless(timeout_seconds: float | None, pointer: str) -> Iterator[Fault]:
    """Yield the fault of saying what happens after a time limit that there is not."""
    if timeout_seconds is None:
        yield Fault(f"{pointer}/on_timeout", "It waits without end, so it never times out.",
                    "Give timeout_seconds, or leave on_timeout out.", "timeout")  # fmt: skip


def _moment(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
