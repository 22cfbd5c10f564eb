"""What a column's header says: its words, the kinds it names and the words that qualify them."""

import re
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from importlib import resources
from typing import NamedTuple

import yaml

from racine.governance.classifications.words import fold

_WORD = re.compile(r"[^\W_]+")
_BREAKS = re.compile(
    r"(?<=[a-zà-ÿ])(?=[A-ZÀ-Þ])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])"
    r"|(?<=[\x00-\x7f])(?=[\u0370-\uffff])|(?<=[\u0370-\uffff])(?=[\x00-\x7f])"
)
_SILENT = frozenset(
    "column col field unnamed var variable value values attr attribute f c x v y data unknown none "
    "spalte colonne columna coluna kolumn kolom kolumna feld campo champ prop 列 필드".split()
)
_SHORTEST_PART = 3


class Phrase(NamedTuple):
    """Words that name a kind in a header; a weak phrase needs the values to agree."""

    words: tuple[str, ...]
    kind: str
    strong: bool


class Match(NamedTuple):
    """A phrase found in a header and where: exact, tail, head or inner."""

    phrase: Phrase
    place: str
    start: int
    end: int


def words(header: str, vocabulary: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """Return a header's folded words without bare numbers.

    Splits at case changes, digits and anything that is neither letter nor digit. A run of letters
    that the vocabulary does not hold is taken apart only if known words cover all of it
    (`dateofbirth`), so no word is ever found inside another.
    """
    return _words(header, vocabulary)


@lru_cache(20_000)
def _words(header: str, vocabulary: frozenset[str]) -> tuple[str, ...]:
    found = [fold(part) for word in _WORD.findall(header) for part in _BREAKS.split(word)]
    named = [word for word in found if word and not word.isdigit()]
    return tuple(part for word in named for part in _parts(word, vocabulary))


def _parts(word: str, vocabulary: frozenset[str]) -> Sequence[str]:
    if not vocabulary or word in vocabulary:
        return (word,)
    if not word[-1].isascii():
        return _wide_parts(word, vocabulary)
    if len(word) < 2 * _SHORTEST_PART - 1:
        return (word,)
    return _cover(word, vocabulary) or (word,)


def _wide_parts(word: str, vocabulary: frozenset[str]) -> Sequence[str]:
    """Cut the longest known ending off a word of a script that writes without blanks."""
    if "\u3040" <= word[-1] <= "\uffdc":
        for start in range(1, len(word) - 1):
            if word[start:] in vocabulary:
                return word[:start], word[start:]
    return _cover(word, vocabulary) or (word,)


def _cover(word: str, vocabulary: frozenset[str]) -> tuple[str, ...]:
    """Return the fewest known words that make up all of `word`, or nothing."""
    best: list[tuple[str, ...] | None] = [()] + [None] * len(word)
    for end in range(2, len(word) + 1):
        for start in range(end - 1):
            before, part = best[start], word[start:end]
            if before is None or part not in vocabulary:
                continue
            if end - start < _SHORTEST_PART and not (
                end == len(word) and part in {"id", "no", "nr"}
            ):
                continue
            current = best[end]
            if current is None or len(before) + 1 < len(current):
                best[end] = (*before, part)
    whole = best[len(word)]
    return whole if whole and len(whole) <= 4 else ()


def silent(header: str) -> bool:
    """Tell whether a header says nothing: empty, numbered, or a word such as `column`."""
    found = words(header)
    return all(word in _SILENT for word in found)


def matches(found: Sequence[str], phrases: dict[str, list[Phrase]]) -> list[Match]:
    """Return the phrases in a header's words, longest kept where one lies inside another.

    `phrases` is indexed by first word. A phrase of at most two letters counts only as the whole
    header: `by` is a Danish city, but not in `created by`.
    """
    hits = [hit for start in range(len(found)) for hit in _at(found, start, phrases)]
    return [hit for hit in hits if not any(_inside(hit, other) for other in hits)]


def _at(found: Sequence[str], start: int, phrases: dict[str, list[Phrase]]) -> Iterable[Match]:
    for phrase in phrases.get(found[start], ()):
        end = start + len(phrase.words)
        if tuple(found[start:end]) != phrase.words:
            continue
        place = _place(start, end, len(found))
        short = sum(map(len, phrase.words)) <= 2 and phrase.words[0].isascii()
        if place == "exact" or not short:
            yield Match(phrase, place, start, end)


def _place(start: int, end: int, length: int) -> str:
    if start == 0 and end == length:
        return "exact"
    if end == length:
        return "tail"
    return "head" if start == 0 else "inner"


def _inside(hit: Match, other: Match) -> bool:
    longer = other.end - other.start > hit.end - hit.start
    return longer and other.start <= hit.start and hit.end <= other.end


@cache
def concepts() -> dict[str, str]:
    """Return qualifying word -> its concept (`id` -> key, `verified` -> flag ...)."""
    text = resources.files(__package__).joinpath("data/concepts.yaml").read_text("utf-8")
    groups: dict[str, str] = yaml.load(text, yaml.CSafeLoader)
    return {word: concept for concept, listed in groups.items() for word in listed.split()}
