"""People and places, drawn so that their parts agree: name, gender, birth, mail, postcode."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from random import Random

from bench.estates.locale import Locale
from bench.estates.patterns import fill

TODAY = date(2025, 6, 30)
"""All ages and dates are counted from this fixed day, or tables would change overnight."""


@dataclass(frozen=True)
class Person:
    """One invented person."""

    locale: Locale
    female: bool
    given: str
    middle: str
    family: str
    maiden: str
    born: date
    given_latin: str
    family_latin: str
    number: int

    @cached_property
    def full(self) -> str:
        """The name in the locale's order."""
        parts = (self.given, self.family)
        return self.locale.joiner.join(reversed(parts) if self.locale.family_first else parts)

    @cached_property
    def age(self) -> int:
        """Whole years lived by the fixed day."""
        before = (TODAY.month, TODAY.day) < (self.born.month, self.born.day)
        return TODAY.year - self.born.year - before

    @cached_property
    def handle(self) -> str:
        """A user name built from the person's name."""
        given, family = self._latin
        shapes = (
            f"{given[:1]}{family}", f"{given}.{family}", f"{given}{self.born.year % 100:02d}",
            f"{family}{given[:2]}", f"{given}_{family[:1]}{self.number % 90}", f"{family}",
        )  # fmt: skip
        return shapes[self.number % len(shapes)]

    @cached_property
    def email(self) -> str:
        """An address at one of the locale's mail hosts."""
        given, family = self._latin
        shapes = (
            f"{given}.{family}", f"{given[:1]}{family}", f"{family}.{given}", self.handle,
            f"{given}{self.number % 1000}", f"{given}-{family}", f"{given}+{family[:4]}",
        )  # fmt: skip
        host = self.locale.mail[self.number // 7 % len(self.locale.mail)]
        return f"{shapes[self.number % len(shapes)]}@{host}"

    @cached_property
    def _latin(self) -> tuple[str, str]:
        names = (self.given_latin, self.family_latin)
        given, family = (
            "".join(c for c in self.locale.ascii(name).lower() if c.isalnum()) for name in names
        )
        return given, family


@dataclass(frozen=True)
class Place:
    """An invented address in a town that may exist."""

    street: str
    number: str
    city: str
    postcode: str
    region: str
    region_code: str
    latitude: float
    longitude: float


def draw_person(words: Locale, random: Random) -> Person:
    """A grown-up of the locale."""
    female = random.random() < 0.5
    pool = words.given_f if female else words.given_m
    given, given_latin = _scripts(random.choice(pool))
    middle, _ = _scripts(random.choice(pool))
    family, family_latin = _family(words, random)
    maiden, _ = _family(words, random)
    age = int(random.triangular(18, 94, 38))
    born = TODAY - timedelta(days=age * 365 + random.randrange(365))
    return Person(
        words, female, given, middle, family, maiden, born, given_latin, family_latin,
        random.randrange(100_000),
    )  # fmt: skip


def draw_place(words: Locale, random: Random) -> Place:
    """An address whose postcode has the shape of its town's."""
    city = random.choice(words.cities)
    south, north, west, east = words.box
    return Place(
        street=random.choice(words.street_a) + random.choice(words.street_b),
        number=_house_number(random),
        city=city.name,
        postcode=fill(city.postcode, random),
        region=city.region,
        region_code=city.region_code,
        latitude=random.uniform(south, north),
        longitude=random.uniform(west, east),
    )


def _scripts(name: str) -> tuple[str, str]:
    """The name as written and in Latin letters."""
    native, _, latin = name.partition("/")
    return native, latin or native


def _family(words: Locale, random: Random) -> tuple[str, str]:
    """A listed family name, or one composed of halves, which no word list can know."""
    if not words.family_a or random.random() < 0.5:
        return _scripts(random.choice(words.family))
    name = random.choice(words.family_a) + random.choice(words.family_b)
    return name, name


def _house_number(random: Random) -> str:
    number = str(int(random.expovariate(1 / 40)) + 1)
    return number + random.choice("abc") if random.random() < 0.08 else number
