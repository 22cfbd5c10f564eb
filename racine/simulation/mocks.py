"""What tasks answer in a simulation."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from racine.definitions.graph import did_you_mean
from racine.definitions.schemas import pointer_of
from racine.errors import Fault, InvalidInput

_LAST_KEY = re.compile(r"(?:.*\.)?(\w+)")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Failure(_Strict):
    code: str = "mocked"
    message: str = "The mock says so."
    retryable: bool = True


class Answer(_Strict):
    """How one attempt of a task ends."""

    values: dict[str, Any] = Field(default_factory=dict)
    outcome: str | None = None
    """Of an approval or a quality gate."""
    error: Failure | None = None
    seconds: float = Field(default=0, ge=0, le=366 * 86_400)
    """How long it takes, in simulated time."""


def _as_list(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


Answers = Annotated[list[Answer], BeforeValidator(_as_list), Field(min_length=1)]
"""One for every attempt, or one after the other; the last one stays."""


class Pool(_Strict):
    """What tasks of a pool share, as `racine pools set` has it."""

    slots: int | None = Field(default=None, ge=1)
    tokens_per_second: float | None = Field(default=None, gt=0)


class Mocks(_Strict):
    """Answers by task and by operation; what is nearer to the task goes first."""

    tasks: dict[str, Answers] = Field(default_factory=dict)
    """By key, for all iterations, or by path, for one: `each[3].clean`."""
    operations: dict[str, Answers] = Field(default_factory=dict)
    pools: dict[str, Pool] = Field(default_factory=dict)
    """By name; one of which nothing is said holds nothing back."""

    def answer(self, path: str, key: str, operation: str, attempt: int) -> Answer | None:
        """Return what an attempt answers, counted from 1; None where nothing is said."""
        found = self.tasks.get(path, self.tasks.get(key, self.operations.get(operation)))
        return found[min(attempt, len(found)) - 1] if found else None


def read_mocks(given: Mapping[str, Any], keys: Collection[str]) -> Mocks:
    """Return mocks from JSON; raise InvalidInput with every fault, a task nobody knows included."""
    try:
        mocks = Mocks.model_validate(given)
    except ValidationError as error:
        raise InvalidInput("The mocks cannot be used.", faults=_faults(error)) from None
    faults = [
        Fault(f"/tasks/{path}", f"There is no task {path!r}.", did_you_mean(path, keys))
        for path in mocks.tasks
        if not (found := _LAST_KEY.fullmatch(path)) or found[1] not in keys
    ]
    if faults:
        raise InvalidInput("The mocks name tasks that the job has not.", faults=faults)
    return mocks


def _faults(error: ValidationError) -> Sequence[Fault]:
    found = error.errors(include_url=False, include_input=False)
    return [Fault(pointer_of(f["loc"]), f"{f['msg']}.", code=f["type"]) for f in found]
