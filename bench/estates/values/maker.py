"""What a maker of values is, and the table of all."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from bench.estates.labels import Label
from bench.estates.locale import Locale
from bench.estates.people import Person, Place


@dataclass(frozen=True)
class Row:
    """What the columns of one row share; `other` is a second person, such as a contact."""

    index: int
    count: int
    locale: Locale
    person: Person
    other: Person
    place: Place


Make = Callable[[Row, Random, str], str]


@dataclass(frozen=True)
class Maker:
    """Makes a column's values, one a row, and labels the column."""

    make: Make
    label: Label


MAKERS: dict[str, Maker] = {}


def maker(
    name: str,
    kind: str = "NONE",
    *,
    tolerate: str = "",
    accept: str = "",
    trap: str = "",
    ignore: bool = False,
) -> Callable[[Make], Make]:
    """Register the decorated function under `name`; kinds are given separated by blanks."""

    def register(make: Make) -> Make:
        label = Label((kind,), tuple(accept.split()), tuple(tolerate.split()), ignore, trap)
        MAKERS[name] = Maker(make, label)
        return make

    return register
