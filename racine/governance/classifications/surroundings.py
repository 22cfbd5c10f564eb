"""What the values of neighbouring columns show without any header."""

from dataclasses import dataclass

from racine.governance.classifications.evidence import Evidence

_MOSTLY = 0.7
EXACT = 4.0
"""Digits after the point from which degrees tell a place: to ten metres, as maps give it."""
_SHOWS: dict[str, tuple[str, ...]] = {
    "email": ("email_any",),
    "phone": ("phone_international", "phone_national", "phone_trunk"),
    "url": ("url",),
    "address": ("street_address", "full_address", "address_cjk"),
    "city": ("city_name",),
    "country": ("country_name",),
    "region": ("region_name",),
    "gender": ("gender_word",),
    "person": ("person_full", "name_given_first", "person_cjk"),
    "given": ("person_given",),
    "family": ("person_family",),
    "geo_coordinate": ("coordinate_pair", "coordinate_number"),
}
SHOWN_PERSONAL = frozenset(("email", "phone", "address", "gender", "person", "given", "family"))
SHOWN_PLACES = frozenset(("address", "city", "country", "region"))


def shown(evidence: Evidence | None) -> frozenset[str]:
    """Return what at least 70 % of a column's values show, whatever its header says."""
    if evidence is None or not evidence.sampled:
        return frozenset()
    least = _MOSTLY * evidence.sampled
    return frozenset(
        kind
        for kind, detectors in _SHOWS.items()
        if any(evidence.hits.get(name, 0) >= least for name in detectors)
    )


@dataclass(frozen=True)
class Degrees:
    """The range of a column of decimal degrees and its places after the point."""

    low: float
    high: float
    decimals: float

    def pairs_with(self, other: "Degrees") -> bool:
        """Tell whether the two can be latitude and longitude: ranges apart, places alike."""
        if abs(self.decimals - other.decimals) > 2:
            return False
        if max(self.high, other.high) <= 1.5 and min(self.low, other.low) >= -1.5:
            return False
        return self.latitude or other.latitude

    @property
    def latitude(self) -> bool:
        return self.low >= -90 and self.high <= 90


def degrees(evidence: Evidence | None) -> Degrees | None:
    """Return the degrees that a column of numbers can be, or nothing."""
    numbers = evidence.numbers if evidence else None
    if evidence is None or numbers is None or numbers.decimals < 2.5:
        return None
    if numbers.count < 0.8 * evidence.sampled or not -180 <= numbers.minimum:
        return None
    if numbers.maximum > 180:
        return None
    return Degrees(numbers.minimum, numbers.maximum, numbers.decimals)
