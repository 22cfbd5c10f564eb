"""The words of a locale: names, streets, places, phone shapes, as `locales/*.yaml` lists them."""

import unicodedata
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

import yaml

LOCALES = Path(__file__).parent / "locales"
ASCII = str.maketrans(
    {"ß": "ss", "ł": "l", "Ł": "L", "ı": "i", "İ": "I", "ø": "o", "Ø": "O", "æ": "ae", "đ": "d"}
)


@dataclass(frozen=True)
class City:
    """A place, the shape of its postal codes, and the region it lies in."""

    name: str
    postcode: str
    region: str
    region_code: str


@dataclass(frozen=True)
class Locale:
    """What generators need to write in one country's language.

    Names written in another script than Latin carry their Latin form after a slash.
    """

    name: str
    country: str
    code: str
    code3: str
    currency: str
    date: str
    given_f: tuple[str, ...]
    given_m: tuple[str, ...]
    family: tuple[str, ...]
    family_a: tuple[str, ...]
    family_b: tuple[str, ...]
    cities: tuple[City, ...]
    box: tuple[float, ...]
    street_a: tuple[str, ...]
    street_b: tuple[str, ...]
    address: tuple[str, ...]
    line: tuple[str, ...]
    unit: tuple[str, ...]
    phones: tuple[str, ...]
    mobiles: tuple[str, ...]
    org_a: tuple[str, ...]
    org_b: tuple[str, ...]
    jobs: tuple[str, ...]
    gender: tuple[str, ...]
    marital: tuple[str, ...]
    languages: tuple[str, ...]
    countries: tuple[str, ...]
    mail: tuple[str, ...]
    diagnoses: tuple[str, ...]
    sentences: tuple[str, ...]
    placeholders: tuple[str, ...] = ()
    family_first: bool = False
    joiner: str = " "
    decimal: str = "."

    def ascii(self, text: str) -> str:
        """The text without accents, as systems of the last century kept it."""
        plain = unicodedata.normalize("NFKD", text.translate(ASCII))
        return plain.encode("ascii", "ignore").decode()


@cache
def locale(name: str) -> Locale:
    """The locale of `locales/NAME.yaml`."""
    path = LOCALES / f"{name}.yaml"
    document: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    known = {field.name for field in fields(Locale)}
    if unknown := document.keys() - known:
        raise ValueError(f"{path.name} has unknown keys {sorted(unknown)}")
    members = {key: _member(key, value) for key, value in document.items()}
    return Locale(name=name, **members)


def _member(key: str, value: Any) -> Any:
    if key == "cities":
        return tuple(City(*(part.strip() for part in line.split("|"))) for line in value)
    if key == "box":
        return tuple(value)
    if isinstance(value, list):
        return tuple(str(item) for item in value)
    if isinstance(value, str) and key not in SCALARS:
        return tuple(part.strip() for part in value.split(","))
    return value


SCALARS = {"country", "code", "code3", "currency", "date", "joiner", "decimal"}
