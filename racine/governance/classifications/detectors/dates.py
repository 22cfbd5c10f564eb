"""Dates and times of day in the forms that exports use."""

import re

_MONTHS = (
    "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|january|february|march|april|june|july|august|"
    "september|october|november|december|sept|januar|februar|märz|mai|juni|juli|oktober|dezember|okt|"
    "dez|janvier|février|mars|avril|juin|juillet|août|septembre|octobre|novembre|décembre|enero|febrero|"
    "marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre|gennaio|febbraio|aprile|"
    "maggio|giugno|luglio|settembre|ottobre|dicembre|janeiro|fevereiro|março|maio|junho|julho|setembro|"
    "outubro|novembro|dezembro|ene|abr|ago|dic|gen|mag|giu|lug|set|ott|fev|maj|avr|juil|déc|févr"
)
_TIME = (
    r"(?:[T ,]+\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:\s?[AaPp]\.?[Mm]\.?)?"
    r"\s?(?:Z|UTC|GMT|[+-]\d{2}:?\d{2}|[A-Z]{3,4})?)?"
)
_FORMS = tuple(
    re.compile(form + _TIME, re.IGNORECASE)
    for form in (
        r"(?P<y>[12]\d{3})(?P<s>[-/.])(?P<m>\d{1,2})(?P=s)(?P<d>\d{1,2})",
        r"(?P<d>\d{1,2})(?P<s>[-/.])(?P<m>\d{1,2})(?P=s)(?P<y>[12]\d{3}|\d{2})",
        r"(?P<y>[12]\d{3})(?P<m>\d{2})(?P<d>\d{2})",
        rf"(?:[a-zà-ÿ]{{2,9}},?\s+)?(?P<d>\d{{1,2}})(?:st|nd|rd|th|\.)?[\s-]+(?:de\s+)?(?P<n>{_MONTHS})"
        r"\.?,?[\s-]+(?:de\s+)?(?P<y>[12]\d{3}|\d{2})",
        rf"(?:[a-z]{{3,9}},?\s+)?(?P<n>{_MONTHS})\.?\s+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<y>[12]\d{{3}})",
        r"(?P<y>[12]\d{3})\s?年\s?(?P<m>\d{1,2})\s?月\s?(?P<d>\d{1,2})\s?日",
    )
)
_CLOCK = re.compile(r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:\s?[ap]\.?m\.?)?", re.IGNORECASE)


def parse(value: str) -> tuple[int, bool, bool] | None:
    """Return (year, has a time of day, is the first of a month) of a date, or nothing.

    A year of two digits is read by POSIX's pivot: 69 to 99 are 19xx.
    """
    if not 6 <= len(value) <= 45:
        return None
    for form in _FORMS:
        found = form.fullmatch(value)
        if found and _plausible(found):
            return _year(found["y"]), ":" in value and not _midnight(value), int(found["d"]) == 1
    return None


def is_date(value: str) -> bool:
    """A date in a form that `parse` reads."""
    return parse(value) is not None


def _midnight(value: str) -> bool:
    return bool(re.search(r"\b0?0:00(?::00(?:[.,]0+)?)?(?:\s?[AZ+].*)?$", value))


def _plausible(found: re.Match[str]) -> bool:
    groups = found.groupdict()
    day, month = int(groups["d"]), int(groups.get("m") or 1)
    if month > 12 and day <= 12:  # month first, as in the United States
        day, month = month, day
    return 1 <= day <= 31 and 1 <= month <= 12


def _year(text: str) -> int:
    year = int(text)
    if len(text) == 4:
        return year
    return 1900 + year if year >= 69 else 2000 + year


def is_clock(value: str) -> bool:
    """A time of day without a date."""
    return _CLOCK.fullmatch(value) is not None
