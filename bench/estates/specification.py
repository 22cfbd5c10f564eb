"""Reads `applications/*.yaml`: which tables a source has and how each column is made.

A column is one line, `header: 'maker argument ~mess20 =KIND +KIND ?KIND @note !trap'`:
`~` spoils values (see `mess.py`), `=` sets the right kinds, `+` accepts and `?` tolerates more,
`*ignore` leaves the column out of the score, `@` adds a note, `!` says why it is a look-alike.
Without them the maker's own label stands.
"""

import re
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from bench.estates.labels import Label
from bench.estates.mess import Mess, parse_mess
from bench.estates.values import MAKERS

APPLICATIONS = Path(__file__).parent / "applications"


@dataclass(frozen=True)
class Column:
    """One column: how its values are made and spoilt, and what they are."""

    header: str
    maker: str
    argument: str
    messes: tuple[Mess, ...]
    label: Label


@dataclass(frozen=True)
class Table:
    """One table of a source, of `rows` rows, in the words of `locale`."""

    name: str
    source: str
    locale: str
    rows: int
    columns: tuple[Column, ...]
    part: str
    """`fresh` where its errors were never looked at, `decoys` where look-alikes are collected."""


@cache
def load() -> tuple[Table, ...]:
    """Every table of every application, in the order of the file names."""
    return tuple(table for path in sorted(APPLICATIONS.rglob("*.yaml")) for table in _read(path))


def _read(path: Path) -> list[Table]:
    document: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return [
        _table(path, document["locale"], name, table) for name, table in document["tables"].items()
    ]


def _table(path: Path, locale: str, name: str, table: dict[str, Any]) -> Table:
    columns = tuple(parse_column(str(header), line) for header, line in table["columns"].items())
    return Table(
        name=f"{path.stem}_{name}",
        source=path.stem,
        locale=table.get("locale", locale),
        rows=table["rows"],
        columns=columns,
        part=path.parent.name,
    )


def parse_column(header: str, line: str) -> Column:
    """The column that one line of an application describes."""
    recipe, *modifiers = re.split(r" (?=[~=+?*@!])", line)
    maker, _, argument = recipe.partition(" ")
    label = MAKERS[maker].label
    messes = []
    for modifier in modifiers:
        if modifier.startswith("~"):
            messes.append(parse_mess(modifier))
        else:
            label = _relabel(label, modifier[0], modifier[1:].strip())
    return Column(header, maker, argument, tuple(messes), label)


def _relabel(label: Label, sign: str, text: str) -> Label:
    kinds = tuple(text.split(","))
    match sign:
        case "=":
            return replace(label, labels=kinds, trap="")
        case "+":
            return replace(label, accept=kinds)
        case "?":
            return replace(label, tolerate=kinds)
        case "*":
            return replace(label, ignore=True)
        case "@":
            return replace(label, note=text)
        case _:
            return replace(label, labels=("NONE",), trap=text)
