"""Operations that belong to no group: what every job may need."""

from typing import Any

from pydantic import Field

from racine.group import Operation, Payload


class Nothing(Payload):
    """No field at all."""


class Echo(Payload):
    value: Any = None


def _echo(given: Echo) -> Echo:
    return given


NOOP = Operation(
    "racine.noop",
    Echo,
    Echo,
    "Returns its input: for trying out a graph and for measuring the engine.",
    judge=_echo,
    example={"value": 1},
)


class NotifyInput(Payload):
    subject: str = Field(max_length=200)
    body: str = Field(default="", max_length=4000)
    severity: str = "info"


class NotifyResult(Payload):
    notification_id: str


NOTIFY = Operation(
    "racine.notify",
    NotifyInput,
    NotifyResult,
    "Leaves a notification in the workspace's inbox.",
    example={"subject": "Scan done"},
)

OPERATIONS: tuple[Operation[Any, Any], ...] = (NOOP, NOTIFY)
