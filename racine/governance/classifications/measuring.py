"""How often a classifier accepts values by chance, and which classifiers accept each other's."""

import random
import string
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from racine.governance.classifications.catalogue import Classifier
from racine.governance.classifications.gathering import accepts
from racine.governance.classifications.words import lexicon

SEED = 20261121
DRAWS = 1000
_TRIES = 4000
_WANTED = 20
COLLIDING = 0.9
"""Share of another's values accepted from which two classifiers collide (governance survey)."""


@dataclass(frozen=True)
class Collision:
    """One classifier accepts this share of another's valid values."""

    accepting: str
    other: str
    share: float


def null_models(entry: Classifier) -> Mapping[str, Callable[[random.Random], str]]:
    """Return the sources of values that are not of the type, by name.

    `same shape` redraws the digits of the entry's own examples and keeps their letters.
    """
    models: dict[str, Callable[[random.Random], str]] = {
        f"{length} digits": _digits(length) for length in range(3, 21)
    }
    models |= {"words": _word, "dates": _date, "prices": _price, "UUIDs": _uuid}
    models |= {"hashes": _hash, "codes": _code}
    if entry.matching:
        models["same shape"] = lambda draw: redraw(draw.choice(entry.matching), draw)
    return models


def chance_rates(entry: Classifier, draws: int = DRAWS) -> dict[str, float]:
    """Return null model -> share of its values that the classifier accepts, where any is."""
    rates = {}
    for name, model in null_models(entry).items():
        draw = random.Random(f"{SEED} {name}")
        passed = sum(accepts(entry, model(draw)) for _ in range(draws))
        if passed:
            rates[name] = round(passed / draws, 4)
    return rates


def redraw(example: str, draw: random.Random) -> str:
    """Return an example with each digit drawn anew."""
    return "".join(draw.choice(string.digits) if c.isdigit() else c for c in example)


@cache
def valid_values(entry: Classifier, count: int = _WANTED) -> list[str]:
    """Return values that the classifier accepts: its examples with some digits drawn anew."""
    draw, found = random.Random(f"{SEED} {entry.id}"), list(entry.matching)
    for _ in range(_TRIES):
        if len(found) >= count or not entry.matching:
            break
        value = _redraw_some(draw.choice(entry.matching), draw)
        if value not in found and accepts(entry, value):
            found.append(value)
    return found


def _redraw_some(example: str, draw: random.Random) -> str:
    places = [at for at, char in enumerate(example) if char.isdigit()]
    chosen = set(draw.sample(places, min(len(places), draw.randint(1, 4))))
    return "".join(
        draw.choice(string.digits) if at in chosen else char for at, char in enumerate(example)
    )


def collisions(
    entries: Sequence[Classifier], among: Iterable[Classifier] | None = None
) -> list[Collision]:
    """Return who accepts at least 90 % of whose valid values; `among` limits one side."""
    values = {entry.id: valid_values(entry) for entry in entries}
    chosen = {entry.id for entry in (among if among is not None else entries)}
    found = []
    for first in entries:
        for second in entries:
            if first is second or not values[second.id] or not {first.id, second.id} & chosen:
                continue
            passed = sum(accepts(first, value) for value in values[second.id])
            share = passed / len(values[second.id])
            if share >= COLLIDING:
                found.append(Collision(first.id, second.id, round(share, 2)))
    return found


def _digits(length: int) -> Callable[[random.Random], str]:
    return lambda draw: (
        draw.choice("123456789") + "".join(draw.choices(string.digits, k=length - 1))
    )


def _word(draw: random.Random) -> str:
    return draw.choice(_words())


@cache
def _words() -> tuple[str, ...]:
    return tuple(word for word, flags in lexicon().items() if flags == "w" and word.isascii())


def _date(draw: random.Random) -> str:
    year, month, day = draw.randint(1950, 2026), draw.randint(1, 12), draw.randint(1, 28)
    return draw.choice((f"{year}-{month:02}-{day:02}", f"{day:02}/{month:02}/{year}"))


def _price(draw: random.Random) -> str:
    return f"{draw.uniform(1, 5000):.2f}"


def _uuid(draw: random.Random) -> str:
    return str(uuid.UUID(bytes=draw.randbytes(16), version=4))


def _hash(draw: random.Random) -> str:
    return draw.randbytes(draw.choice((16, 20, 32))).hex()


def _code(draw: random.Random) -> str:
    letters = "".join(draw.choices(string.ascii_uppercase, k=draw.randint(1, 4)))
    return (
        letters
        + draw.choice(("", "-"))
        + "".join(draw.choices(string.digits, k=draw.randint(2, 8)))
    )
