"""Tasks that wait: for a time, for people."""

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Literal

from pydantic import Field

from racine.definitions.parts import TaskKind
from racine.definitions.schemas import schema_fault
from racine.errors import Fault
from racine.expressions import has_template


class WaitTask(TaskKind):
    """Waits for a time: so many seconds, or until a moment that a template may give."""

    duration_seconds: float | None = Field(default=None, gt=0, le=366 * 86_400)
    until: str | None = None
    """ISO 8601 with its offset, or a template of it; a moment gone by waits for nothing."""

    TEMPLATES: ClassVar = ("until",)
    VALUES: ClassVar = ()

    def faults(self, pointer: str) -> Iterator[Fault]:
        if (self.duration_seconds is None) == (self.until is None):
            yield Fault(pointer, "It waits for a duration or until a moment, and for one of both.",
                        "Give duration_seconds or until.", "wait")  # fmt: skip
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
    VALUES: ClassVar = ("outcome", "approvals", "form")

    def outcomes(self) -> list[str]:
        late = ["timed_out"] if self.on_timeout is OnTimeout.CONTINUE else []
        return ["approved", "rejected", *late]

    def faults(self, pointer: str) -> Iterator[Fault]:
        by_role = any(name.startswith("role:") for name in self.approvers)
        if 0 < len(self.approvers) < self.required and not by_role:
            yield Fault(f"{pointer}/required",
                        f"{self.required} shall approve; only {len(self.approvers)} may.",
                        "Name more approvers, or require fewer.", "approval")  # fmt: skip
        if self.form is not None and (fault := schema_fault(self.form)):
            yield Fault(f"{pointer}/form", f"This is not a usable JSON Schema: {fault}.",
                        "See json-schema.org, draft 2020-12.", "schema")  # fmt: skip


def _moment(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
