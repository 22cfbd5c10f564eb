"""Spoils values the way real exports are spoilt.

`~null20` empties a fifth of the cells, `~na10` writes placeholders, `~late50` leaves the first
half of the table empty, `~test5` writes test data, `~cut12` truncates to twelve characters; a
mess without a number strikes every cell.
"""

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from bench.estates.values import Row

PLACEHOLDERS = ("n/a", "N/A", "unknown", "-", "--", "none", "null", "?", "TBD", "NULL", "(blank)")
TESTS = ("test", "asdf", "xxx", "qwerty", "TEST123", "delete me", "zzz", "foo")


@dataclass(frozen=True)
class Mess:
    """A way of spoiling and its number: per cent of the cells, or a length."""

    name: str
    number: int


def parse_mess(text: str) -> Mess:
    """`~null20` as a Mess.

    Raises:
        ValueError: the text names no known mess.
    """
    match = re.fullmatch(r"~([a-z]+)(\d*)", text)
    if match is None or match[1] not in MESSES:
        raise ValueError(f"unknown mess {text!r}; known are {', '.join(sorted(MESSES))}")
    return Mess(match[1], int(match[2] or 100))


def spoil(value: str, messes: tuple[Mess, ...], row: Row, random: Random) -> str:
    """The value after all messes, in the order they were written."""
    for mess in messes:
        value = MESSES[mess.name](value, mess.number, row, random)
    return value


Spoiler = Callable[[str, int, Row, Random], str]


def _sometimes(change: Callable[[str, Row, Random], str]) -> Spoiler:
    def spoiler(value: str, percent: int, row: Row, random: Random) -> str:
        return change(value, row, random) if random.random() * 100 < percent else value

    return spoiler


def _placeholder(value: str, row: Row, random: Random) -> str:
    return random.choice((*row.locale.placeholders, *PLACEHOLDERS))


def _late(value: str, percent: int, row: Row, random: Random) -> str:
    return "" if row.index * 100 < row.count * percent else value


def _entities(value: str, row: Row, random: Random) -> str:
    return "".join(f"&#{ord(c)};" if random.random() < 0.4 else html.escape(c) for c in value)


def _without_accents(value: str, row: Row, random: Random) -> str:
    return row.locale.ascii(value)


MESSES: dict[str, Spoiler] = {
    "null": _sometimes(lambda value, row, random: ""),
    "nulltext": _sometimes(lambda value, row, random: "NULL"),
    "na": _sometimes(_placeholder),
    "late": _late,
    "test": _sometimes(lambda value, row, random: random.choice(TESTS)),
    "cut": lambda value, length, row, random: value[:length],
    "upper": _sometimes(lambda value, row, random: value.upper()),
    "lower": _sometimes(lambda value, row, random: value.lower()),
    "pad": _sometimes(lambda value, row, random: f" {value}  "),
    "entity": _sometimes(_entities),
    "mailto": _sometimes(lambda value, row, random: f"mailto:{value}"),
    "obfuscate": _sometimes(
        lambda value, row, random: value.replace("@", " [at] ").replace(".", " [dot] ")
    ),
    "angle": _sometimes(lambda value, row, random: f"{row.person.full} <{value}>"),
    "quote": _sometimes(lambda value, row, random: f"'{value}'"),
    "noaccent": _sometimes(_without_accents),
    "nbsp": _sometimes(lambda value, row, random: value.replace(" ", "\u00a0")),
    "float": _sometimes(lambda value, row, random: f"{value}.0"),
}
