"""The shipped word list: names of people, places and languages, folded to plain letters."""

import gzip
import unicodedata
from functools import cache, lru_cache
from importlib import resources

import yaml

FLAGS = {
    "g": "given name",
    "s": "family name",
    "c": "city",
    "r": "first-level subdivision",
    "n": "country",
    "a": "ISO 3166 alpha code",
    "l": "language",
    "w": "common word",
}
_LIGATURES = str.maketrans(
    {"ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "đ": "d", "ł": "l", "ı": "i"}
)


@lru_cache(200_000)
def fold(text: str) -> str:
    """Return text in lower case, without accents (Unicode NFKD marks) and outer blanks."""
    text = text.strip().casefold()
    if text.isascii():
        return text
    plain = unicodedata.normalize("NFKD", text.translate(_LIGATURES))
    kept = "".join(char for char in plain if not unicodedata.combining(char))
    return unicodedata.normalize("NFC", kept)


@cache
def lexicon() -> dict[str, str]:
    """Return folded word or phrase -> its flags, one letter each of `FLAGS`."""
    packed = resources.files(__package__).joinpath("data/words.tsv.gz").read_bytes()
    lines = gzip.decompress(packed).decode().splitlines()
    return dict(line.split("\t") for line in lines)


def flags(word: str) -> str:
    """Return the flags of a word or phrase, empty when it is not listed."""
    return lexicon().get(fold(word), "")


@cache
def _listed() -> dict[str, frozenset[str]]:
    text = resources.files(__package__).joinpath("data/wordlists.yaml").read_text("utf-8")
    return {name: frozenset(found) for name, found in yaml.load(text, yaml.CSafeLoader).items()}


def listed(name: str) -> frozenset[str]:
    """Return one of the detectors' word lists, such as `street_words`."""
    return _listed()[name]
