"""Says what PostgreSQL's errors mean, without their text, which can repeat values of a row."""

import psycopg

from racine.errors import SourceFault, Unavailable
from racine.governance.data_sources.locations import Location


def as_fault(fault: psycopg.Error, at: Location, lost: bool) -> SourceFault | Unavailable:
    """Map a driver's error; `lost` tells that a connection which stood has broken."""
    state = fault.sqlstate or _of_login(fault)
    words, hint = _STATES.get(state) or _STATES.get(state[:2]) or _unknown(fault)
    gone = (state[:2] in ("08", "57") and state != "57014") or state == "53300"
    gone |= not state and isinstance(fault, psycopg.OperationalError)  # nothing answers
    kind = Unavailable if gone or lost else SourceFault
    details = {"credential": state} if state in _LOGIN else {}
    return kind(f"{at}: {words}.", next_step=hint, details=details)


_LOGIN = frozenset({"28P01", "28000", "no password"})
"""States that refuse the user or the password."""

_STATES = {
    "no password": ("the server wants a password", "Give the source a credential by reference."),
    "28P01": ("the password is wrong", "Check the credential that the source refers to."),
    "28000": ("the server refuses this user", "Check the user's name and pg_hba.conf."),
    "3D000": ("there is no such database", "Check the database in the source's location."),
    "42501": ("the user may not read this", "GRANT SELECT on it to the source's user."),
    "42P01": ("the table is gone", "Discover the source again."),
    "57014": ("the statement was cancelled or took over its time",
              "Scan a smaller sample, or at a quieter time."),
    "53300": ("the server has no connection free", "Scan again later."),
    "55P03": ("the table is locked", "Scan again when the lock is gone."),
    "22": ("a value could not be read", "Check the view's expressions."),
    "08": ("the connection was lost", "Check the server's log and the network."),
    "57": ("the server is stopping", "Scan again when it is up."),
}  # fmt: skip


def _of_login(fault: psycopg.Error) -> str:
    """Return the state of a refused login, which the driver tells in words alone; else nothing."""
    text = str(fault)
    if "FATAL" not in text and "password" not in text:
        return ""
    return next((state for state, words in _LOGIN_WORDS if words in text), "")


_LOGIN_WORDS = (
    ("no password", "no password supplied"),
    ("28P01", "password"),
    ("28000", "role "),
    ("28000", "pg_hba.conf"),
    ("3D000", 'database "'),
)
"""States, and what of the server's English sentence gives them away, the first that fits."""


def _unknown(fault: psycopg.Error) -> tuple[str, str]:
    """Return words for an error without a known state."""
    if fault.sqlstate:
        return f"PostgreSQL error {fault.sqlstate}", "See PostgreSQL's list of error codes."
    # libpq's advice follows on a line that a tab begins; ours stands in its place.
    lines = [line for line in str(fault).splitlines() if line.strip() and not line[0].isspace()]
    text = lines[-1].rpartition("failed: ")[2] if lines else type(fault).__name__
    return f"no connection ({text})", "Check the address, the port and the server's log."
