"""Invented people: their parts agree with each other as those of real people do."""

import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from local.estate import numbers, words

TODAY = date(2026, 6, 30)
"""The estate's own day: what it holds must not depend on when it is made."""


@dataclass(frozen=True)
class Person:
    first: str
    last: str
    email: str
    phone: str
    born: date
    gender: str
    street: str
    postal_code: str
    city: str
    region: str
    country: str

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}"


def person(rng: Random) -> Person:
    first, last = rng.choice(words.FIRST_NAMES), rng.choice(words.LAST_NAMES)
    city, region, country, postal_code = rng.choice(words.PLACES)
    return Person(
        first=first,
        last=last,
        email=_email(rng, first, last),
        phone=numbers.phone(rng, country),
        born=TODAY - timedelta(days=int(365.25 * min(90, max(17, rng.gauss(42, 14))))),
        gender=rng.choices(("F", "M", "X"), (49, 49, 2))[0],
        street=f"{rng.choice(words.STREETS)} {rng.randint(1, 180)}",
        postal_code=postal_code,
        city=city,
        region=region,
        country=country,
    )


def _email(rng: Random, first: str, last: str) -> str:
    local = rng.choice(("{f}.{l}", "{f}{n}", "{i}{l}", "{l}.{f}{n}")).format(
        f=_plain(first), l=_plain(last), i=_plain(first)[0], n=rng.randint(1, 99)
    )
    return f"{local}@{rng.choice(('example.org', 'example.com', 'example.net'))}"


def _plain(name: str) -> str:
    flat = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return "".join(c for c in flat.lower() if c.isalpha())
