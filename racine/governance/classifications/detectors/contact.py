"""E-mail addresses and telephone numbers."""

import html
import re
from functools import lru_cache

import phonenumbers

_EMAIL = re.compile(
    r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@(?:[^\W_](?:[\w-]*[^\W_])?\.)+(?:[^\W\d_]{2,24}|xn--[\w-]+)"
)
_NAMED = re.compile(r"(?:[^<>@]*<)?\s*(?:mailto:)?([^<>\s@]+@[^<>\s@?]+)(?:\?\S*)?\s*>?", re.I)
_SPOKEN = re.compile(
    r"([\w.+-]+)\s*[\[({<]\s*(?:at|ät|@)\s*[\])}>]\s*([\w-]+(?:\s*(?:[\[({<]\s*(?:dot|punkt)\s*"
    r"[\])}>]|\.|\s+dot\s+)\s*[\w-]+)+)|([\w.+-]+) at ([\w-]+(?: dot [\w-]+)+)",
    re.IGNORECASE,
)
_INTERNATIONAL = re.compile(
    r"(?:\+|00)\s?\(?\d{1,4}\)?[\d\s().\-/]{5,18}\d(?:\s?(?:x|ext\.?)\s?\d+)?", re.I
)
_EXTENSION = re.compile(r"\s*(?:x|ext\.?|#|poste|durchwahl)\s*:?\s*\d{1,6}$", re.IGNORECASE)
_PREFIX = re.compile(r"^(?:tel|phone|telephone|fax|mobile|t|f|m|ph|tél|telefon)\s*[.:]*\s*", re.I)
_NATIONAL = re.compile(
    r"""(?:
      1?[-.\s]?\(\d{3}\)\s?\d{3}[-.\s]?\d{4}               # North America with brackets
    | 1?[-.\s]?\d{3}([-.\s])\d{3}\1\d{4}                   # North America with one separator
    | \(?0\d{1,5}\)?[-.\s/]{1,3}\d{2,}(?:[-.\s/]?\d{2,})*  # trunk prefix 0, then groups
    | 0\d(?:[-.\s]\d\d){4}                                 # France
    | \(?\d{2}\)?\s?9?\d{4}[-.\s]\d{4}                     # Brazil
    | \d{2,3}[-\s]\d{3,4}[-\s]\d{4}                        # Korea, Japan
    | \d{3}[-.\s]\d{4}                                     # local, seven digits
    | [1-9]\d{2}(?:[-.\s]\d{2,3}){2,3}                     # Spain, Poland, Portugal, Norway
    | [1-9]\d{4}[-\s]\d{5,6}                               # India
    | \(\d{1,5}\)\s?\d[\d\s-]{4,10}                        # area code in brackets
    | [1-9]\d{3}[-\s]\d{4}                                 # eight digits
    )""",
    re.VERBOSE,
)
_DATE_LIKE = re.compile(r"\d{4}[-./]\d{1,2}[-./]\d{1,2}.*|\d{1,2}([-./])\d{1,2}\1\d{2,4}")


def is_email(value: str) -> bool:
    """An address of RFC 5321 with a dotted domain, bare, in `mailto:` or in angle brackets."""
    found = _NAMED.fullmatch(value)
    return found is not None and _EMAIL.fullmatch(found[1]) is not None


def is_encoded_email(value: str) -> bool:
    """An address written as HTML entities or with `at` and `dot` in words."""
    if "&#" in value or "%40" in value:
        return is_email(html.unescape(value).replace("%40", "@").strip()) or (
            "&#64;" in value or "&#x40;" in value
        )
    return _SPOKEN.fullmatch(value) is not None


def is_international_phone(value: str) -> bool:
    """A number with + or 00 and a country code that has such numbers (ITU-T E.164)."""
    value = _bare(value)
    if not _INTERNATIONAL.fullmatch(value) or _DATE_LIKE.fullmatch(value):
        return False
    digits = "+" + "".join(filter(str.isdigit, value)).removeprefix("00" if value[0] == "0" else "")
    return value[0] == "+" and len(digits) < 16 if len(digits) < 9 else _possible(digits)


@lru_cache(4096)
def _possible(number: str) -> bool:
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(number, None)) or (
            9 <= len(number) <= 15
        )
    except phonenumbers.NumberParseException:
        return False


def is_national_phone(value: str) -> bool:
    """A number without country code, written in groups as telephone numbers are."""
    value = _bare(value)
    if not 7 <= sum(map(str.isdigit, value)) <= 13 or _DATE_LIKE.fullmatch(value):
        return False
    return _NATIONAL.fullmatch(value) is not None


def is_bare_phone(value: str) -> bool:
    """7 to 13 digits without grouping (a spreadsheet may have added `.0`)."""
    value = value.removesuffix(".0")
    return value.isascii() and value.isdigit() and 7 <= len(value) <= 13


def is_trunk_phone(value: str) -> bool:
    """9 to 12 digits without grouping that begin with a single trunk zero, or Chinese mobiles."""
    if not is_bare_phone(value):
        return False
    return (value[0] == "0" and value[1] != "0" and 9 <= len(value) <= 12) or (
        len(value) == 11 and value[0] == "1" and value[1] in "3456789"
    )


def is_phone(value: str) -> bool:
    """A number that its grouping, country code or trunk zero shows to be a telephone's."""
    return is_international_phone(value) or is_national_phone(value) or is_trunk_phone(value)


def is_any_email(value: str) -> bool:
    """An address as it is or encoded."""
    return is_email(value) or is_encoded_email(value)


def is_us_phone(value: str) -> bool:
    """Ten digits of the North American plan: area code and exchange begin with 2 to 9."""
    digits = value.removesuffix(".0")
    return (
        len(digits) == 10
        and digits.isdigit()
        and digits[0] in "23456789"
        and digits[3] in "23456789"
    )


@lru_cache(1024)
def _bare(value: str) -> str:
    return _EXTENSION.sub("", _PREFIX.sub("", value.removeprefix("tel:").strip()))
