"""What values alone cannot prove: kinds that an unnamed column is not said to hold.

A form that a large share of other columns has too decides nothing without a name, however many
values have it: digests are not passwords, nine digits no social security number, four small
numbers no address. What counts here is the lift over measured chance, and what stands beside.
"""

from collections.abc import Callable

from racine.governance.classifications.catalogue import Classifier, classifiers
from racine.governance.classifications.evidence import Evidence
from racine.governance.classifications.features import Features, lift
from racine.governance.classifications.surroundings import SHOWN_PERSONAL, SHOWN_PLACES

Rule = Callable[["Alone"], str]
_PEOPLE = SHOWN_PERSONAL - {"address", "phone"}
"""What only people have: shops have addresses and telephones too."""
_OF_THINGS = frozenset(("word.thing", "word.file", "word.version", "word.hash"))
_NUMBERED = frozenset(("word.key", "word.number", "word.code", "word.money", "word.count"))
_PROVED = 2.0
"""Log-odds over chance from which check digits speak by themselves."""
_SHARED_DIGIT = 0.05
"""Chance rate from which a check is one decimal digit, such as Luhn's: contracts and invoices carry
the same, so that people must stand beside it."""
_OF_PEOPLE = frozenset(("national_id", "drivers_license", "passport", "bank_account"))
_NEARLY_ALL = 0.7
"""Share of values that must pass: numbers of one series resemble each other, and pass in bulk."""


class Alone:
    """An unnamed column: its evidence, and what its table shows around it."""

    def __init__(self, kind: str, evidence: Evidence, features: Features) -> None:
        self.kind, self.evidence, self.features = kind, evidence, features

    def of(self, *detectors: str) -> float:
        """Return the largest share of values that one of the detectors accepts."""
        count = max(self.evidence.sampled, 1)
        return max(min(self.evidence.hits.get(name, 0) / count, 1.0) for name in detectors)

    def near(self, kinds: frozenset[str]) -> bool:
        return any(f"near.{kind}" in self.features.all for kind in kinds)

    def passes(self, entry: Classifier) -> bool:
        """Tell whether a check lifts the type over chance and accepts nearly all values."""
        told_by = entry.decisive or entry.id
        tried = self.evidence.tried.get(told_by, self.evidence.sampled)
        hits = self.evidence.hits.get(told_by, 0)
        shared = entry.chance >= _SHARED_DIGIT and self.kind in _OF_PEOPLE
        if shared and not self.near(_PEOPLE):
            return False
        return hits >= _NEARLY_ALL * tried and lift(self.evidence, entry) >= _PROVED


def unproven(kind: str, evidence: Evidence, features: Features) -> str:
    """Return why an unnamed column is not said to be of a kind, or nothing."""
    rule = _RULES.get(kind)
    return rule(Alone(kind, evidence, features)) if rule else ""


def hardly_named(kind: str, evidence: Evidence, features: Features) -> str:
    """Return why a weak word of the header (`hash`, `node`, `point`, `name`) does not suffice."""
    rule = _WEAKLY.get(kind)
    return rule(Alone(kind, evidence, features)) if rule else ""


def _checked(alone: Alone) -> str:
    entries = [entry for entry in classifiers() if entry.kind == alone.kind]
    if any(alone.passes(entry) for entry in entries):
        return ""
    return "its form alone proves nothing without a name"


def _ssn(alone: Alone) -> str:
    return "" if alone.of("ssn_shape") >= 0.8 else "nine digits alone prove nothing"


def _password(alone: Alone) -> str:
    if alone.of("hex_digest", "uuid") >= 0.5:
        return "digests are passwords only by name"
    return ""


def _ip(alone: Alone) -> str:
    return (
        "the numbers are small as those of versions are" if alone.of("version_head") > 0.5 else ""
    )


def _mac(alone: Alone) -> str:
    return "" if alone.of("mac") >= 0.5 else "twelve hexadecimal digits alone prove nothing"


def _vin(alone: Alone) -> str:
    return "" if alone.of("vin_serial") >= 0.8 else "the last signs are no serial number"


def _coordinate(alone: Alone) -> str:
    if alone.of("coordinate_pair", "coordinate_dms") >= 0.5:
        return ""
    if "pair.degrees" not in alone.features.all:
        return "no neighbour holds the other half of a coordinate"
    if alone.near(SHOWN_PLACES) or "pair.exact" in alone.features.all:
        return ""
    return "measurements have such decimals too, and no place stands beside them"


def _birth(alone: Alone) -> str:
    if "date.until.now" in alone.features.all:
        return "the years run up to the present as those of events do"
    return "" if alone.near(_PEOPLE) else "nobody stands beside the dates"


def _postal(alone: Alone) -> str:
    if alone.evidence.distinct < 4 and alone.evidence.rows > 2 * alone.evidence.distinct:
        return "a few codes prove nothing"
    if alone.of("postal_us", "postal_digits") < 0.5:
        return ""
    numbers = alone.evidence.numbers
    if numbers is not None and numbers.sequential and numbers.count >= 8:
        return "the numbers follow each other"
    return "" if alone.near(SHOWN_PLACES) else "no place stands beside the digits"


def _code(alone: Alone) -> str:
    codes = alone.of("country_code", "country_code_lower", "region_code", "upper_code")
    if codes < 0.5 or alone.evidence.distinct >= 4 or alone.near(SHOWN_PLACES):
        return ""
    return "a few short codes prove nothing"


def _region(alone: Alone) -> str:
    if alone.of("region_iso") >= 0.5 and alone.of("region_name", "region_code") < 0.5:
        return "pairs of codes prove nothing"
    return _code(alone)


def _machine(alone: Alone) -> str:
    machines = alone.of("hostname", "path", "file_name") >= 0.5
    return "the values are names of machines or files" if machines else _thing(alone)


def _thing(alone: Alone) -> str:
    if _OF_THINGS & alone.features.all.keys() and "word.person" not in alone.features.all:
        return "the header names a thing"
    return ""


def _person(alone: Alone) -> str:
    if _NUMBERED & alone.features.all.keys() and "word.person" not in alone.features.all:
        return "the header names a number"
    return _thing(alone)


def _username(alone: Alone) -> str:
    if _machine(alone):
        return _machine(alone)
    return "" if alone.near(SHOWN_PERSONAL) else "nobody stands beside the words"


def _grouped(alone: Alone) -> str:
    if alone.of("phone_international", "phone_national") >= 0.5:
        return ""
    return _phone(alone) or ("" if alone.evidence.distinct > 2 else "two numbers prove nothing")


def _phone(alone: Alone) -> str:
    numbers = alone.evidence.numbers
    if numbers is not None and numbers.sequential:
        return "the numbers follow each other"
    if alone.of("phone_any") >= 0.5:
        return ""
    alike = numbers is not None and numbers.opening >= 0.45
    if alone.near(SHOWN_PERSONAL) and (alike or alone.of("phone_us") >= 0.95):
        return ""
    return "bare digits prove nothing"


def _gender(alone: Alone) -> str:
    return "the values are forms of address" if alone.of("salutation") >= 0.5 else ""


_RULES: dict[str, Rule] = {
    "credit_card": _checked,
    "iban": _checked,
    "national_id": _checked,
    "drivers_license": _checked,
    "passport": _checked,
    "bank_account": _checked,
    "ssn": _ssn,
    "password": _password,
    "ip_address": _ip,
    "mac_address": _mac,
    "vin": _vin,
    "geo_coordinate": _coordinate,
    "date_of_birth": _birth,
    "postal_code": _postal,
    "country": _code,
    "region": _region,
    "username": _username,
    "phone": _phone,
    "gender": _gender,
    "person_name": _person,
}

_WEAKLY: dict[str, Rule] = {
    "password": _password,
    "ip_address": _ip,
    "postal_code": _postal,
    "geo_coordinate": _coordinate,
    "gender": _gender,
    "username": _machine,
    "person_name": _thing,
    "phone": _grouped,
}
