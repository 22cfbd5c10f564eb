"""Finds out how a delimited file is written: encoding, delimiter, quoting, header row."""

import codecs
import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from activities.connectors.files.blocks import decode, lines_of
from racine.governance.scan_logic.profile import shape

HEAD = 256 << 10
"""Bytes from the start of a file that its dialect is judged by."""

_ROWS = 200
_DELIMITERS = (",", "\t", ";", "|")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True)
class Dialect:
    encoding: str
    delimiter: str
    newline: str
    header: bool
    start: int
    """Bytes of the byte order mark."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Head:
    """What the start of a delimited file shows."""

    dialect: Dialect
    names: list[str]
    rows: list[list[str]]
    """The first data rows."""


def sniff(head: bytes, whole: bool, suffix: str = "") -> Head:
    """Judge the first bytes of a file; `whole` tells that they are all of it."""
    encoding, start = _encoding(head)
    newline = "\r" if b"\r" in head and b"\n" not in head else "\n"
    text = decode(head[start:], encoding, Counter())
    if not whole:
        # The last line is cut somewhere.
        text = text[: text.rfind(newline) + 1] or text
    delimiter = "\t" if suffix in (".tsv", ".tab") else _delimiter(text)
    rows = _parse(text, delimiter)
    header = has_header(rows)
    width = len(rows[0]) if rows else 0
    names = column_names(rows[0]) if header and rows else [f"column_{n + 1}" for n in range(width)]
    dialect = Dialect(encoding, delimiter, newline, header, start)
    return Head(dialect, names, rows[1:] if header else rows)


def column_names(cells: Sequence[str]) -> list[str]:
    """Return header cells as they are; empty ones get a number, repeated ones a suffix."""
    names: list[str] = []
    taken: set[str] = set()
    for place, cell in enumerate(cells, start=1):
        name = base = cell if cell.strip() else f"column_{place}"
        again = 2
        while name in taken:
            name, again = f"{base}_{again}", again + 1
        taken.add(name)
        names.append(name)
    return names


def _encoding(head: bytes) -> tuple[str, int]:
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name, len(mark)
    even, odd = head[0:2000:2].count(0), head[1:2000:2].count(0)
    if max(even, odd) * 5 > len(head[:2000]) and min(even, odd) * 20 < max(even, odd):
        return ("utf-16-le", 0) if odd > even else ("utf-16-be", 0)
    return "utf-8", 0


def _delimiter(text: str) -> str:
    """Return the delimiter that splits most rows like the first one; a comma where none does."""
    text = _ENTITY.sub("", text)
    scored = [(_consistency(_parse(text, mark)), -place, mark)
              for place, mark in enumerate(_DELIMITERS)]  # fmt: skip
    score, _, mark = max(scored)
    return mark if score > 0 else ","


_ENTITY = re.compile(r"&#?\w{1,8};")
"""HTML's character references: their semicolons delimit nothing."""


def _consistency(rows: list[list[str]]) -> float:
    """Return the share of rows as wide as the first, weighed by width; 0 for a single column."""
    if not rows or len(rows[0]) < 2:
        return 0.0
    if len(rows[0]) == 2 and all(row[0][-1:] == " " == row[-1][:1] for row in rows):
        return 0.0  # prose such as `title | site`
    widths = Counter(map(len, rows))
    share = widths[len(rows[0])] / len(rows)
    # A row or two of free text split by chance must not beat a true delimiter of few columns.
    return share if share > 0.5 else share / 10


def _parse(text: str, delimiter: str) -> list[list[str]]:
    rows: list[list[str]] = []
    try:
        for row in csv.reader(lines_of(text), delimiter=delimiter):
            if row:
                rows.append(row)
            if len(rows) > _ROWS:
                break
    except csv.Error:
        pass
    return rows


_NUMBER = re.compile(r"[-+]?[$€£¥]?\d[\d.,' ]*%?|[-+]?\.\d+|[-+]?\d+(\.\d+)?[eE][-+]?\d+")
_DATED = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ].*)?|\d{1,2}:\d{2}(:\d{2})?")
_TYPED = re.compile(
    r"[^@\s]+@[^@\s]+\.\w+|https?://\S+|www\.\S+|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-\S+|"
    r"\d{1,3}(\.\d{1,3}){3}|true|false",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(19|20)\d\d")
_LONG = 60
"""Characters that hardly any name of a column has."""


def has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names the columns: it does unless it looks like the rows below it.

    Most tables have a header, so what votes against one must be a cell that no header holds (a
    date, an address, a number among numbers, a value met again below), and a word above values of
    another sort keeps it.
    """
    if len(rows) < 2:
        return True
    votes = [_vote(cell, [row[n] for row in rows[1:] if n < len(row)])
             for n, cell in enumerate(rows[0])]  # fmt: skip
    named, data = votes.count(1), votes.count(-1)
    return data == 0 or named > data


def _vote(cell: str, below: Sequence[str]) -> int:
    """Return 1 for a cell that names the values below it, -1 for one of their sort, else 0."""
    filled = [value for value in below if value.strip()]
    if not cell.strip() or not filled:
        return 0
    if _YEAR.fullmatch(cell) and not any(map(_YEAR.fullmatch, filled)):
        return 1
    sort = _sort(cell)
    same = sum(_sort(value) == sort for value in filled) / len(filled)
    if sort != "word":
        return -1 if same > 0.5 else 0
    if same < 0.2:
        return 1
    # Once among many can be chance: a language named English in a column of that name.
    chance = len(filled) // 50 if len(filled) < 6 else max(1, len(filled) // 50)
    if filled.count(cell) > chance or _is_prose(cell, filled):
        return -1
    return -1 if _is_code(cell) and _shared(shape(cell), filled) > 0.8 else 0


def _is_prose(cell: str, filled: Sequence[str]) -> bool:
    """Whether a cell is a long text above other long texts, and not a survey's question."""
    lengths = sorted(map(len, filled))
    return len(cell) > _LONG and lengths[len(lengths) // 2] * 2 > len(cell) and cell[-1] != "?"


def _is_code(cell: str) -> bool:
    return any(map(str.isdigit, cell)) and any(map(str.isalpha, cell))


def _shared(form: str, filled: Sequence[str]) -> float:
    return sum(shape(value) == form for value in filled) / len(filled)


def _sort(cell: str) -> str:
    cell = cell.strip()
    if _DATED.fullmatch(cell):
        return "date"
    if _TYPED.fullmatch(cell):
        return "typed"
    if _NUMBER.fullmatch(cell):
        return "number"
    return "word"
