"""When an asset that a listing lacks is taken for gone.

Absence is never deletion on error: only clean listings count, it takes two of them in a row, and no
run removes more than a share of a source. What is over the cap is held until a person agrees.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

LISTINGS = 2
CAP = 0.10
"""Share of a source's assets that one run may take for gone; one asset always may."""


@dataclass(frozen=True)
class Absences:
    """What to do about the assets that a listing lacked."""

    missed: Mapping[str, Sequence[str]]
    """Asset id -> the clean scans in a row that lacked it."""
    gone: Sequence[str]
    held: Sequence[str]


def judge(
    known: Mapping[str, Sequence[str]],
    listed: Collection[str],
    scan_id: str,
    *,
    clean: bool,
    over_cap_approved: bool = False,
) -> Absences:
    """Decide about the known active assets (id -> scans that lacked it so far).

    Judging the same scan again changes nothing: a scan counts once.
    """
    absent = sorted(asset for asset in known if asset not in listed)
    if not clean or not absent:
        return Absences({}, [], [])
    missed = {asset: list(dict.fromkeys((*known[asset], scan_id))) for asset in absent}
    due = [asset for asset in absent if len(missed[asset]) >= LISTINGS]
    allowed = max(1, int(len(known) * CAP))
    if over_cap_approved or len(due) <= allowed:
        return Absences(missed, due, [])
    return Absences(missed, [], due)
