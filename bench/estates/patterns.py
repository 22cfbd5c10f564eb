"""Fills shapes such as `AB-###` with random characters."""

import string
from random import Random

LETTERS = string.ascii_uppercase
CLASSES = {
    "#": string.digits,
    "%": "123456789",
    "^": LETTERS,
    "&": "ABDEFGHJLNPQRSTUWXYZ",
    "$": LETTERS + string.digits,
    "<": string.ascii_lowercase,
    ">": "0123456789abcdef",
}
"""`&` are the letters that end a British postcode."""


def fill(pattern: str, random: Random) -> str:
    """The pattern with every class character drawn; all others stay as they are."""
    return "".join(random.choice(CLASSES[c]) if c in CLASSES else c for c in pattern)
