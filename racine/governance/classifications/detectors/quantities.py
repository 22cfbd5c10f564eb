"""Numbers that stand for something: ages, coordinates, vehicle numbers."""

import re

_VIN = re.compile(r"(?=.*[0-9])(?=.*[A-Z])[A-HJ-NPR-Z0-9]{17}")


def is_age(value: str) -> bool:
    """A whole number of years that people reach."""
    return float(value) <= 120


def is_degree(value: str) -> bool:
    """Decimal degrees with at least three places."""
    return abs(float(value)) <= 180


def is_vin(value: str) -> bool:
    """17 letters and digits without I, O and Q (ISO 3779)."""
    return _VIN.fullmatch(value) is not None


def ends_in_serial(value: str) -> bool:
    """A vehicle number whose last four signs are digits, as ISO 3780 makers write them."""
    return is_vin(value) and value[-4:].isdigit() and value[0] != "0"
