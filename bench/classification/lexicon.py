"""Build the word list that ships with the classifiers from open libraries.

    uv run --with faker --with babel --with pycountry python -m bench.classification.lexicon

Sources: Faker's locale providers (MIT) for names of people, cities and common words; CLDR through
Babel (Unicode licence, BSD) for countries and languages; iso-codes through pycountry (LGPL) for
subdivisions; phonenumbers' geocoding table (Apache-2.0) and the IANA time zones for cities. Only
single names are taken, never a record of a person.
"""

import gzip
import importlib
import pkgutil
import re
import zoneinfo
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from racine.governance.classifications.words import fold

TARGET = Path("racine/governance/classifications/data/words.tsv.gz")

_LANGUAGES = (
    "en de fr es pt it nl sv da nb fi is pl cs sk hu ro bg hr sl sr et lv lt el tr ru uk "
    "ar he fa hi bn th vi id ms ja ko zh zh_Hant"
).split()
_PERSON = re.compile(r"first|last|middle|given|family|surname")
_LETTER = re.compile(r"[^\W\d_]")


def build() -> dict[str, str]:
    """Return every folded word or phrase with its flags: g s c r n a l w (see `words.Flag`)."""
    flags: dict[str, set[str]] = defaultdict(set)
    for flag, words in _sources():
        for word in words:
            folded = fold(str(word))
            if _usable(flag, folded):
                flags[folded].add(flag)
    return {word: "".join(sorted(found)) for word, found in sorted(flags.items())}


def _usable(flag: str, word: str) -> bool:
    return bool(_LETTER.search(word)) and len(word) <= 40 and (len(word) > 1 or not word.isascii())


def _sources() -> Iterator[tuple[str, Iterable[Any]]]:
    yield from _people()
    yield "c", _cities()
    yield "r", _regions()
    yield from _territories()
    yield "w", _common_words()


def _people() -> Iterator[tuple[str, Iterable[str]]]:
    for provider in _providers("person"):
        for attribute in dir(provider):
            values = getattr(provider, attribute)
            if not _PERSON.search(attribute) or not isinstance(values, (list, tuple, dict)):
                continue
            names = [w for v in values if isinstance(v, str) for w in v.split() if "{" not in w]
            yield ("g" if re.search("first|middle|given", attribute) else "s"), names


def _cities() -> Iterator[str]:
    for provider in _providers("address"):
        for attribute in ("cities", "city_names", "localities", "municipalities", "communes"):
            for value in getattr(provider, attribute, ()):
                yield from _phrases(value)
    for table in importlib.import_module("phonenumbers.geodata").GEOCODE_DATA.values():
        for value in table.values():
            yield from (re.sub(r" - [A-Z]{2}$", "", p.split(",")[0]) for p in value.split("/"))
    for zone in zoneinfo.available_timezones():
        if "/" in zone and not zone.startswith(("Etc", "SystemV", "US/")):
            yield zone.rsplit("/", 1)[1].replace("_", " ")


def _regions() -> Iterator[str]:
    pycountry = importlib.import_module("pycountry")
    for subdivision in pycountry.subdivisions:
        if subdivision.parent_code is None:
            yield from (part for part in re.split(r"[\[\],/]", subdivision.name))
    for provider in _providers("address"):
        for attribute in ("states", "provinces", "region_names", "prefectures", "cantons"):
            for value in getattr(provider, attribute, ()):
                yield from _phrases(value)


def _territories() -> Iterator[tuple[str, Iterable[str]]]:
    locale = importlib.import_module("babel").Locale
    for language in _LANGUAGES:
        data = locale.parse(language)
        yield "n", [name for code, name in data.territories.items() if code.isalpha()]
        yield "l", [name for code, name in data.languages.items() if len(code) <= 3]
    pycountry = importlib.import_module("pycountry")
    for country in pycountry.countries:
        extra = (getattr(country, "common_name", ""), getattr(country, "official_name", ""))
        yield "n", [country.name, *country.name.split(","), *extra]
        yield "a", [country.alpha_2, country.alpha_3]


def _common_words() -> Iterator[str]:
    for provider in _providers("lorem"):
        if provider.__module__.split(".")[-1] != "la":
            yield from getattr(provider, "word_list", ())


def _providers(kind: str) -> Iterator[Any]:
    package = importlib.import_module(f"faker.providers.{kind}")
    yield package.Provider
    for module in pkgutil.iter_modules(package.__path__):
        yield importlib.import_module(f"faker.providers.{kind}.{module.name}").Provider


def _phrases(value: Any) -> Iterator[str]:
    for part in value if isinstance(value, (tuple, list)) else (value,):
        if isinstance(part, str) and "{" not in part:
            yield part


def main() -> None:
    words = build()
    lines = "".join(f"{word}\t{flags}\n" for word, flags in words.items())
    TARGET.write_bytes(gzip.compress(lines.encode(), 9, mtime=0))
    print(f"{len(words)} words, {TARGET.stat().st_size} bytes -> {TARGET}")


if __name__ == "__main__":
    main()
