"""What is said when Temporal does not answer, or refuses."""

from temporalio.service import RPCError, RPCStatusCode

from racine.errors import Conflict, InvalidInput, NotFound, RacineError, Unavailable

_NEXT_STEP = "Check that the Temporal server runs; GET /readyz tells which part is missing."


def outage(fault: RPCError | None = None) -> RacineError:
    """Return Racine's error for a failed call: a server's refusal is told from its absence."""
    if fault is None or fault.status in _ABSENT:
        return Unavailable("Temporal does not answer.", next_step=_NEXT_STEP)
    if fault.status is RPCStatusCode.NOT_FOUND:
        return NotFound("Temporal does not know it, or it has ended.")
    if fault.status is RPCStatusCode.INVALID_ARGUMENT:
        return InvalidInput(f"Temporal refused the request: {fault.message}.")
    return Conflict(f"Temporal refused the request: {fault.message}.")


_ABSENT = frozenset(
    {
        RPCStatusCode.UNAVAILABLE,
        RPCStatusCode.DEADLINE_EXCEEDED,
        RPCStatusCode.CANCELLED,
        RPCStatusCode.RESOURCE_EXHAUSTED,
        RPCStatusCode.UNKNOWN,
    }
)
