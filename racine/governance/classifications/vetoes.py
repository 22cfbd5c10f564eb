"""What values rule out, whatever the header says: a kind that they cannot be."""

import re
from collections.abc import Callable

from racine.governance.classifications.evidence import Evidence

Rule = Callable[["Shares"], str]
_HARDLY = 0.2
_MOSTLY = 0.8


class Shares:
    """Evidence as shares of the sampled values."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence

    def of(self, *detectors: str) -> float:
        """Return the largest share that one of the detectors accepts."""
        count = max(self.evidence.sampled, 1)
        return max(min(self.evidence.hits.get(name, 0) / count, 1.0) for name in detectors)

    @property
    def numbers(self) -> float:
        numbers = self.evidence.numbers
        return numbers.count / self.evidence.sampled if numbers else 0.0

    @property
    def digits(self) -> float:
        """Mean number of digits a value."""
        return self.evidence.characters.get("digit", 0.0) * self.evidence.length[1]

    @property
    def letters(self) -> float:
        signs = self.evidence.characters
        return signs.get("upper", 0.0) + signs.get("lower", 0.0)


def mistyped(kind: str, declared: str) -> str:
    """Return why a column of a declared type cannot be of a kind, or nothing.

    Types that say nothing of their values (text, none, SQLite's NUMERIC) rule nothing out.
    """
    found = _DECLARED.match(declared.strip().lower())
    family = found.lastgroup if found else None
    if family is None or kind in _MAY_BE[family]:
        return ""
    return f"the source declares it as {_SAID[family]}"


_DECLARED = re.compile(
    r"(?P<truth>bool(?:ean)?\b|bit\b(?!\s*varying))"
    r"|(?P<moment>timestamp|datetime)"
    r"|(?P<fraction>float|real\b|double)"
    r"|(?P<key>uuid\b|uniqueidentifier\b)"
)
_MAY_BE: dict[str, frozenset[str]] = {
    "truth": frozenset(("gender",)),
    "moment": frozenset(("date_of_birth",)),
    "fraction": frozenset(
        "geo_coordinate age financial_amount medical phone postal_code ssn national_id credit_card "
        "bank_account".split()
    ),
    "key": frozenset(),
}
"""Kinds that a declared type leaves possible; files of numbers with gaps are read as floats."""
_SAID = {
    "truth": "true or false",
    "moment": "a moment",
    "fraction": "a fraction",
    "key": "a UUID",
}


def veto(kind: str, evidence: Evidence) -> str:
    """Return why the values cannot be of a kind, or nothing."""
    shares = Shares(evidence)
    rule = _RULES.get(kind)
    return (rule(shares) if rule else "") or _technical(kind, shares)


def _technical(kind: str, shares: Shares) -> str:
    if kind in _FLAGS_ARE_NOT and shares.of("boolean") >= _MOSTLY:
        return "the values are flags"
    if kind in _IDENTIFIERS_ARE_NOT and shares.of("uuid") - shares.of("hex_digest") > 0.5:
        return "the values are UUIDs"
    return ""


_FLAGS_ARE_NOT = frozenset(
    "email phone person_name address date_of_birth credit_card ssn national_id iban ip_address "
    "mac_address password postal_code city country url geo_coordinate username swift_bic vin "
    "drivers_license passport bank_account".split()
)
_IDENTIFIERS_ARE_NOT = _FLAGS_ARE_NOT | {"region", "age", "gender"}


def _needs(*detectors: str) -> Rule:
    def rule(shares: Shares) -> str:
        return "" if shares.of(*detectors) >= _HARDLY else "hardly a value has its form"

    return rule


def _words(shares: Shares) -> str:
    if shares.numbers > 0.5:
        return "the values are numbers"
    return "the values are addresses of another sort" if shares.of("email", "url") > 0.5 else ""


def _name(shares: Shares) -> str:
    return _words(shares) or ("the values hold digits" if shares.digits >= 2.5 else "")


def _username(shares: Shares) -> str:
    machines = shares.of("path", "file_name", "url")
    return "the values are names of machines or files" if machines > 0.5 else ""


def _address(shares: Shares) -> str:
    if _words(shares):
        return _words(shares)
    signs = shares.evidence.characters
    forms = ("address_any", "street_name", "numbered_words", "city_name", "address_unit")
    if "wide" in signs or shares.of(*forms) >= 0.05:
        return ""
    coded = shares.digits >= 2 or signs.get("sign", 0.0) > 0.05
    return "no value has the form of an address" if coded else ""


def _place(shares: Shares) -> str:
    return "the values are numbers" if shares.numbers > _MOSTLY else ""


def _digits(least: float, most: float) -> Rule:
    def rule(shares: Shares) -> str:
        return "" if least <= shares.digits <= most else "too few or too many digits"

    return rule


def _phone(shares: Shares) -> str:
    if shares.of("date") > 0.5 or shares.of("ipv4") > 0.5:
        return "the values are dates or network addresses"
    return _digits(5, 25)(shares) or ("the values are words" if shares.letters > 0.6 else "")


def _birth(shares: Shares) -> str:
    dates = shares.evidence.dates
    if dates is None or dates.count < 0.3 * shares.evidence.sampled:
        return "the values are no dates"
    return ""


def _age(shares: Shares) -> str:
    return "" if shares.of("age_number", "age_range") >= 0.5 else "the values are no years of age"


def _number_code(shares: Shares) -> str:
    if shares.of("date") > 0.5:
        return "the values are dates"
    return _digits(2.5, 20)(shares)


def _coordinate(shares: Shares) -> str:
    told = shares.numbers > 0.5 or shares.of("coordinate_pair", "coordinate_dms") >= _HARDLY
    text = shares.digits >= 8
    return "" if told or text else "the values are no coordinates"


def _password(shares: Shares) -> str:
    return "the values are dates" if shares.of("date") > 0.5 else ""


_RULES: dict[str, Rule] = {
    "email": _needs("email_any", "email_local"),
    "phone": _phone,
    "person_name": _name,
    "address": _address,
    "date_of_birth": _birth,
    "credit_card": _digits(11, 20),
    "ssn": _digits(7, 10),
    "national_id": _number_code,
    "iban": _needs("iban_shape"),
    "ip_address": _needs("ip_any", "ipv4"),
    "mac_address": _needs("mac", "mac_bare"),
    "password": _password,
    "postal_code": _digits(0.8, 11),
    "city": _place,
    "region": _place,
    "country": _place,
    "age": _age,
    "username": _username,
    "url": _needs("url", "hostname", "path", "handle"),
    "geo_coordinate": _coordinate,
    "swift_bic": _needs("bic"),
    "vin": _needs("vin"),
    "drivers_license": _number_code,
    "passport": _number_code,
    "bank_account": _number_code,
}
