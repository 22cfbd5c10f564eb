"""The life cycle of a data source, as a pure state machine."""

from enum import StrEnum

from racine.errors import Conflict


class SourceState(StrEnum):
    REGISTERED = "registered"
    CONFIGURING = "configuring"
    CONNECTED = "connected"
    FAILED = "failed"
    SCANNING = "scanning"
    SCANNED = "scanned"
    SCAN_FAILED = "scan_failed"
    CLASSIFYING = "classifying"
    CLASSIFIED = "classified"
    VALIDATING = "validating"
    VALIDATED = "validated"
    CATALOGED = "cataloged"
    MONITORING = "monitoring"
    ARCHIVED = "archived"


S = SourceState

_ALONG_THE_RUN: dict[SourceState, tuple[SourceState, ...]] = {
    S.REGISTERED: (S.CONFIGURING,),
    S.CONFIGURING: (S.CONNECTED, S.FAILED),
    S.FAILED: (S.CONFIGURING,),
    S.CONNECTED: (S.SCANNING, S.CONFIGURING),
    S.SCANNING: (S.SCANNED, S.SCAN_FAILED),
    S.SCAN_FAILED: (S.SCANNING, S.CONFIGURING),
    S.SCANNED: (S.CLASSIFYING,),
    S.CLASSIFYING: (S.CLASSIFIED,),
    S.CLASSIFIED: (S.VALIDATING,),
    S.VALIDATING: (S.VALIDATED,),
    S.VALIDATED: (S.CATALOGED,),
    S.CATALOGED: (S.MONITORING, S.ARCHIVED),
    S.MONITORING: (S.ARCHIVED,),
    S.ARCHIVED: (),
}

_SCANNED_BEFORE = frozenset(
    {S.SCANNED, S.CLASSIFYING, S.CLASSIFIED, S.VALIDATING, S.VALIDATED, S.CATALOGED, S.MONITORING}
)
"""From here a new scan may begin: a run that ended half way must not lock its source for ever."""

TESTABLE = frozenset({S.REGISTERED, S.CONFIGURING, S.FAILED, S.CONNECTED, S.SCAN_FAILED})
"""Where a connection test decides the state; later it only tells the source's health."""

ABANDONABLE = frozenset({S.REGISTERED, S.FAILED, S.CONNECTED, S.SCAN_FAILED, S.SCANNED})
"""A source that never reached the catalog may be archived too."""


def allowed(state: SourceState) -> tuple[SourceState, ...]:
    """Return the states that may follow `state`, in the order of the life cycle."""
    following = _ALONG_THE_RUN[state]
    if state in _SCANNED_BEFORE:
        following = (*following, S.SCANNING)
    if state in ABANDONABLE:
        following = (*following, S.ARCHIVED)
    return following


def check(name: str, state: str, to: SourceState) -> None:
    """Raise Conflict, naming what may follow, unless the source may go from `state` to `to`.

    Going to the state it is in is always allowed: an attempt that is made again changes nothing.
    """
    now = SourceState(state)
    if to is now or to in allowed(now):
        return
    following = ", ".join(allowed(now)) or "nothing"
    raise Conflict(
        f"The source {name!r} is {now} and cannot become {to}.",
        next_step=f"From {now} it can become: {following}.",
        details={"state": str(now), "allowed": [str(s) for s in allowed(now)]},
    )
