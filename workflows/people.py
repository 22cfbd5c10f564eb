"""Approvals: who has said what, and when that is enough."""

from dataclasses import dataclass, field
from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from models.messages import ControlCall
    from racine.engine.states import TaskResult, TaskState
    from racine.errors import Conflict

APPROVED, REJECTED, TIMED_OUT = "approved", "rejected", "timed_out"
_TIMED_OUT = {"APPROVE": APPROVED, "REJECT": REJECTED, "CONTINUE": TIMED_OUT}


@dataclass
class Approval:
    """One open question; it is decided by enough approvals or by one rejection."""

    spec: dict[str, Any]
    starter: str
    said: list[dict[str, Any]] = field(default_factory=list)
    form: dict[str, Any] = field(default_factory=dict)
    outcome: str | None = None
    delegates: dict[str, str] = field(default_factory=dict)
    """Who passed a word on, and to whom: a user, or `role:NAME`."""

    @property
    def spoken(self) -> set[str]:
        """Who may say nothing more."""
        return {*(word["actor"] for word in self.said), *self.delegates}

    def require_right(self, call: ControlCall) -> None:
        """Raise Conflict when this person's word does not count here."""
        if self.outcome is not None:
            raise Conflict(f"It is {self.outcome} already.")
        if call.actor == self.starter and not self.spec["self_approval"]:
            raise Conflict("Who started a run does not approve it.", next_step="Ask somebody else.")
        if call.actor in self.spoken:
            raise Conflict("You have spoken already.", next_step="Others must decide.")
        names = {call.actor, *(f"role:{role}" for role in call.arguments.get("roles", []))}
        may = {*self.spec["approvers"], *self.delegates.values()}
        if self.spec["approvers"] and not names & may:
            allowed = ", ".join(self.spec["approvers"])
            raise Conflict("You are not among its approvers.", next_step=f"They are: {allowed}.")

    def say(self, call: ControlCall, verdict: str) -> None:
        self.said.append({"actor": call.actor, "verdict": verdict, "comment": call.reason})
        self.form.update(call.arguments.get("form", {}))
        approvals = sum(word["verdict"] == APPROVED for word in self.said)
        if verdict == REJECTED:
            self.outcome = REJECTED
        elif approvals >= self.spec["required"]:
            self.outcome = APPROVED

    def pass_on(self, call: ControlCall) -> None:
        """Let somebody else speak in the place of the caller."""
        self.delegates[call.actor] = str(call.arguments["to"])

    def time_out(self) -> None:
        self.outcome = _TIMED_OUT.get(self.spec["on_timeout"])

    def result(self) -> TaskResult:
        """Return how the task ended."""
        values = {"outcome": self.outcome, "approvals": self.said, "form": self.form}
        if self.outcome is None:
            message = f"Nobody decided within {self.spec['timeout_seconds']:g} s."
            return TaskResult(TaskState.FAILED, error={"code": "timed_out", "message": message})
        if self.outcome == REJECTED and self.spec["on_reject"] == "FAIL":
            who = self.said[-1]["actor"] if self.said else "the time limit"
            error = {"code": REJECTED, "message": f"It was rejected by {who}."}
            return TaskResult(TaskState.FAILED, values, REJECTED, error)
        return TaskResult(TaskState.SUCCEEDED, values, self.outcome)
