"""Says what MySQL's and MariaDB's errors mean, without their text, which can repeat values."""

from collections.abc import Iterable

from activities.connectors.protocol import Asset
from racine.errors import SourceFault, Unavailable
from racine.governance.data_sources.locations import Location


def as_fault(fault: Exception, at: Location) -> SourceFault | Unavailable:
    """Map a driver's error to one that tells what to do."""
    number = fault.args[0] if fault.args and isinstance(fault.args[0], int) else 0
    if isinstance(fault, TimeoutError) or (isinstance(fault, OSError) and not number):
        number = _SERVER_GONE
    if number in _LOST:
        words, hint = _LOST[number]
        return Unavailable(f"{at}: {words}.", next_step=hint)
    words, hint = _KNOWN.get(number) or _unknown(fault, number)
    details = {"credential": number} if number in _LOGIN else {}
    return SourceFault(f"{at}: {words}.", next_step=hint, details=details)


def grant(refused: Iterable[Asset]) -> str:
    """Return the statements that let the source's user read these tables."""
    schemas = sorted({asset.details["path"][0] for asset in refused})
    return "; ".join(f"GRANT SELECT, SHOW VIEW ON `{s}`.* TO the source's user" for s in schemas)


def _unknown(fault: Exception, number: int) -> tuple[str, str]:
    if number:
        return f"the server's error {number}", "See the list of MySQL's or MariaDB's error codes."
    if "TLS" in str(fault) or "SSL" in str(fault) or "CERTIFICATE" in str(fault):
        return "TLS could not be agreed on", "Check sslmode, sslrootcert and the certificate."
    return "its answers are not MySQL's", "Check the address and the port."


_SERVER_GONE = 2013
_LOSS = ("the connection was lost or nothing came", "Check the server's log and the network.")
_LOST = {
    1040: ("the server has no connection free", "Scan again later."),
    1053: ("the server is stopping", "Scan again when it is up."),
    1152: _LOSS,
    1158: _LOSS,
    1159: _LOSS,
    1160: _LOSS,
    1161: _LOSS,
    1203: ("the user has no connection free", "Scan again later."),
    1226: ("the user has used up what the server allows", "Scan again later."),
    1927: ("the connection was killed", "Scan again."),
    2003: ("no connection", "Check the address, the port and the server's log."),
    2006: _LOSS,
    2013: _LOSS,
    2014: _LOSS,
    4031: _LOSS,
}
"""Errors after which reading again may help."""

_LATE = ("the statement was cancelled or took over its time",
         "Scan a smaller sample, or at a quieter time.")  # fmt: skip
_LOCKED = ("the user is locked, or its password has expired",
           "Unlock the user, or renew its password.")  # fmt: skip
_LOGIN = frozenset({1045, 1698, 1820, 1862, 3118, 4151})
"""Errors that refuse the user or the password."""

_NO_RIGHT = ("the user may not read this", "GRANT SELECT on it to the source's user.")
_KNOWN = {
    1044: ("the user may not use this database", "GRANT SELECT on it to the source's user."),
    1045: ("the server refuses this user or password", "Check the user and the credential."),
    1049: ("there is no such database", "Check the database in the source's location."),
    1142: _NO_RIGHT,
    1143: _NO_RIGHT,
    1146: ("the table is gone", "Discover the source again."),
    1205: ("the table is locked", "Scan again when the lock is gone."),
    1317: _LATE,
    1356: ("the view is broken, or its definer may not read", "Check the view's definition."),
    1698: ("the server refuses this user", "Check how the user is to log in."),
    1820: _LOCKED,
    1862: _LOCKED,
    1932: ("the table's files are damaged", "Run CHECK TABLE on it."),
    1969: _LATE,
    2026: ("TLS could not be agreed on", "Check sslmode, sslrootcert and the certificate."),
    3024: _LATE,
    3118: _LOCKED,
    4151: _LOCKED,
}
