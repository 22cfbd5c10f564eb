"""Labelled tables: CSV files beside a `labels.json`, and the source each one comes from."""

import csv
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CORE = tuple(
    "email phone person_name address date_of_birth credit_card ssn national_id iban ip_address "
    "mac_address password".split()
)
EXTENDED = (
    *CORE,
    *"postal_code city region country gender age url geo_coordinate username swift_bic vin "
    "drivers_license".split(),
)
_KINDS = {"geo_coord": "geo_coordinate", "driver_license": "drivers_license"}


@dataclass(frozen=True)
class Label:
    """What a column holds: kinds, kinds that are right too, kinds that are neither."""

    kinds: frozenset[str]
    accept: frozenset[str] = frozenset()
    tolerate: frozenset[str] = frozenset()
    trap: str = ""


@dataclass(frozen=True, eq=False)
class LabelledTable:
    """A table with its columns' distinct values and labels; columns to ignore have none."""

    set: str
    name: str
    source: str
    columns: dict[str, Counter[str]]
    labels: dict[str, Label]


def load(folder: Path) -> Iterator[LabelledTable]:
    """Yield the labelled tables of a folder that holds `tables/` and `labels.json`."""
    labels = json.loads((folder / "labels.json").read_text("utf-8"))
    scored = {_kind(name) for name in (labels.pop("_meta", None) or {}).get("scored", ())}
    sources = _sources(folder)
    for name, marked in sorted(labels.items()):
        path = folder / "tables" / f"{name}.csv"
        if path.exists():
            found = {column: _label(entry, scored) for column, entry in marked.items()}
            kept = {column: label for column, label in found.items() if label}
            source = sources.get(name, name.partition("_")[2] or name)
            yield LabelledTable(folder.name, name, source, _columns(path), kept)


def _kind(label: str) -> str:
    return _KINDS.get(label.lower(), label.lower())


def _label(entry: dict[str, Any], scored: set[str]) -> Label | None:
    if entry.get("ignore"):
        return None
    kinds = frozenset(_kind(x) for x in entry["labels"]) - {"none"}
    accept = frozenset(_kind(x) for x in entry.get("accept", ()))
    tolerate = frozenset(_kind(x) for x in entry.get("tolerate", ()))
    return Label(kinds, accept - {"none"}, tolerate, entry.get("trap", ""))


def _columns(path: Path) -> dict[str, Counter[str]]:
    csv.field_size_limit(sys.maxsize)
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        header = next(rows)
        columns: dict[str, Counter[str]] = {name: Counter() for name in header}
        for row in rows:
            for name, value in zip(header, row, strict=False):
                if value != "":
                    columns[name][value] += 1
    return columns


def _sources(folder: Path) -> dict[str, str]:
    """Read table -> repository from the README, where it has such a list."""
    readme = folder / "README.md"
    if not readme.exists():
        return {}
    sources = {}
    for line in readme.read_text("utf-8").splitlines():
        if found := re.match(r"- (\S+): ([\w.-]+/[\w.-]+) : ", line):
            sources[found[1]] = found[2]
        elif found := re.match(r"\| ([\w.-]+/[\w.-]+) @ [0-9a-f]+ : (.*?) \|", line):
            for table in re.findall(r"\(([\w-]+)[,)]", found[2]):
                sources.setdefault(table, found[1])
    return sources
