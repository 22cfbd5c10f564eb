"""Every error that Racine raises on purpose.

RacineError
├── InvalidInput      the caller sent something that cannot be used
├── NotFound          the object does not exist, or the caller may not know that it does
├── Conflict          the object's state forbids the request
├── PreconditionFailed  the object changed since the caller read it
├── PreconditionRequired  the caller must say which state of the object it means
├── Unauthenticated   nobody, or nobody known, is asking
├── Forbidden         the caller is known and may not
├── TooManyRequests   the caller must wait before asking again
├── ContractBroken    a task's result is not what its document declares
├── TaskError         a user's own code failed
├── SourceFault       a data source refused, broke off or lied
├── RequestRefused    another system answered a task's request with a refusal
├── QualityFailed     a gate's checks do not hold
└── Unavailable       a part that Racine needs does not answer: trying again may help

HTTP problem details and Temporal's ApplicationError are each mapped from here once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong at one place of a document."""

    pointer: str
    """JSON pointer (RFC 6901) to the faulty value."""
    message: str
    next_step: str = ""
    code: str = "invalid"


class RacineError(Exception):
    """A refusal with a stable code, a sentence and the reader's next step."""

    code: ClassVar[str] = "racine_error"
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        next_step: str = "",
        faults: Sequence[Fault] = (),
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step
        self.faults = tuple(faults)
        self.details = dict(details or {})

    def __str__(self) -> str:
        return f"{self.message} {self.next_step}".rstrip()


class InvalidInput(RacineError):
    code = "invalid_input"


class NotFound(RacineError):
    code = "not_found"


class Conflict(RacineError):
    code = "conflict"


class PreconditionFailed(RacineError):
    code = "precondition_failed"


class PreconditionRequired(RacineError):
    code = "precondition_required"


class Unauthenticated(RacineError):
    code = "unauthenticated"


class Forbidden(RacineError):
    code = "forbidden"


class TooManyRequests(RacineError):
    """`details["retry_after"]` holds the seconds to wait."""

    code = "too_many_requests"
    retryable = True


class ContractBroken(RacineError):
    code = "contract_broken"


class TaskError(RacineError):
    """The user's own code failed: `code` is then the type of its error."""

    retryable = True

    def __init__(self, type_: str, message: str, **more: Any) -> None:
        super().__init__(message, **more)
        self.code = type_  # type: ignore[misc]


class SourceFault(RacineError):
    code = "source_fault"


class RequestRefused(RacineError):
    """`details["status"]` holds the status of the answer."""

    code = "request_refused"


class QualityFailed(RacineError):
    """`details["checks"]` holds every check with what was measured."""

    code = "quality_failed"


class Unavailable(RacineError):
    code = "unavailable"
    retryable = True
