"""Numbers with a checksum, from ranges that were never given to anyone where such ranges exist."""

import string
from random import Random

_CARD_PREFIXES = ("411111", "424242", "555555", "222300", "510510")
"""First six digits of the card networks' published test cards."""

_DNI_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
"""Spain's check letters: the letter at `number mod 23`."""


def digits(rng: Random, count: int) -> str:
    return "".join(rng.choices(string.digits, k=count))


def card(rng: Random) -> str:
    """Return 16 digits of a test range that pass Luhn (ISO/IEC 7812-1)."""
    body = rng.choice(_CARD_PREFIXES) + digits(rng, 9)
    return body + luhn_digit(body)


def luhn_digit(body: str) -> str:
    """Return the digit that makes the body pass Luhn's check."""
    total = 0
    for place, digit in enumerate(reversed(body)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def iban(rng: Random) -> str:
    """Return a German IBAN with valid check digits (ISO 13616) at a bank code used in examples."""
    account = "37040044" + digits(rng, 10)
    check = 98 - int(account + "131400") % 97  # D = 13, E = 14, then two zeros
    return f"DE{check:02}{account}"


def ssn(rng: Random) -> str:
    """Return a number of the shape that the US Social Security Administration gives out."""
    area = rng.choice((*range(1, 666), *range(667, 773)))
    return f"{area:03}-{rng.randint(1, 99):02}-{rng.randint(1, 9999):04}"


def dni(rng: Random) -> str:
    """Return a Spanish identity number with its check letter."""
    number = rng.randint(10_000_000, 99_999_999)
    return f"{number}{_DNI_LETTERS[number % 23]}"


def ip(rng: Random) -> str:
    """Return an IPv4 address of the documentation ranges (RFC 5737)."""
    return f"{rng.choice(('192.0.2', '198.51.100', '203.0.113'))}.{rng.randint(1, 254)}"


def mac(rng: Random) -> str:
    """Return a locally administered hardware address."""
    return ":".join(["02", *(f"{rng.randrange(256):02x}" for _ in range(5))])


def phone(rng: Random, country: str) -> str:
    """Return a number that regulators keep for fiction, else of the country's general shape."""
    if country == "US":
        return f"({rng.choice(('503', '512', '415'))}) 555-01{rng.randrange(100):02}"
    if country == "GB":
        return f"+44 7700 900{rng.randrange(1000):03}"
    if country == "FR":
        return f"01 99 00 {rng.randrange(100):02} {rng.randrange(100):02}"
    if country == "SE":
        return f"070-174 06 {rng.randint(5, 99):02}"
    return f"+49 30 23125 {rng.randrange(1000):03}"


def uuid(rng: Random) -> str:
    """Return a version 4 UUID (RFC 9562) of the seeded stream."""
    number = rng.getrandbits(128) & ~(0xF << 76) | 4 << 76
    number = number & ~(0x3 << 62) | 2 << 62
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
