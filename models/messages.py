"""What travels between services, workflows and activities; additive: new fields have defaults."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from racine.engine.plan import Plan

INLINE_LIMIT = 64 * 1024
"""Bytes of JSON above which a value travels by reference (design: nothing larger in history)."""


class Message(BaseModel):
    model_config = ConfigDict(frozen=True)


class RunContext(Message):
    """Whose run it is; goes with every call an interpreter makes."""

    run_id: str
    workspace_id: str
    actor: str


class Transition(Message):
    """A step that ended without an activity of its own."""

    task_key: str
    n: int
    kind: str
    body: dict[str, Any] = Field(default_factory=dict)


class JobInput(Message):
    context: RunContext
    parameters: dict[str, Any]
    plan: Plan | None = None
    plan_ref: str | None = None
    """Blob that holds the plan when it is over the inline limit."""


class OperationCall(Message):
    context: RunContext
    task_key: str
    attempt: int = 1
    input: dict[str, Any]
    transitions: list[Transition] = Field(default_factory=list)
    """What the interpreter decided since its last call, to be written with this one."""


class FinishCall(Message):
    context: RunContext
    state: str
    outputs: dict[str, Any] = Field(default_factory=dict)
    error: dict[str, Any] | None = None
    transitions: list[Transition] = Field(default_factory=list)


class ControlCall(Message):
    """An order to a run: what every Update of the interpreter is given; it answers with a dict."""

    actor: str
    reason: str = ""
    task_key: str | None = None
    """The task that the order is about; none for the whole run."""
    arguments: dict[str, Any] = Field(default_factory=dict)


class RunResult(Message):
    state: str
    outputs: dict[str, Any] = Field(default_factory=dict)
