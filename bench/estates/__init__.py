"""Labelled tables of our own making, for measuring the column classifier.

Each file in `applications/` describes one *source*: an application as one would meet it, with its
tables and columns. `write` turns all of them into CSV files and one `labels.json`; the same commit
always writes the same bytes. Nothing is learned from the sources in `holdout()` and `fresh()`:
errors on the first were looked at while the classifier was made, errors on the second never.
Those in `decoys()` are mostly look-alikes, and there to learn from.
"""

import csv
import hashlib
import json
from pathlib import Path

from bench.estates.generation import generate
from bench.estates.specification import Table, load

__all__ = ["decoys", "fresh", "holdout", "sources", "write"]


def write(folder: Path) -> None:
    """Write `tables/TABLE.csv` for every table and `labels.json` beside them.

    `labels.json` is `{table: {column: {"labels": [...], "accept": [...], "tolerate": [...],
    "ignore": true, "trap": "...", "note": "..."}}}`, with empty members left out.
    """
    tables = folder / "tables"
    tables.mkdir(parents=True, exist_ok=True)
    specifications = load()
    for table in specifications:
        _write_csv(tables / f"{table.name}.csv", table)
    labels = {
        table.name: {column.header: column.label.document() for column in table.columns}
        for table in specifications
    }
    text = json.dumps(labels, ensure_ascii=False, indent=1) + "\n"
    (folder / "labels.json").write_text(text, encoding="utf-8")


def sources() -> dict[str, str]:
    """Every table's source, the unit by which sets are split."""
    return {table.name: table.source for table in load()}


def holdout() -> frozenset[str]:
    """The sources drawn to be measured on: those whose name's SHA-256 is divisible by three."""
    older = frozenset(sources().values()) - fresh() - decoys()
    return older - {source for source in older if _third(source)}


def fresh() -> frozenset[str]:
    """The sources in `applications/fresh`: the figures to report come from these."""
    return frozenset(table.source for table in load() if table.part == "fresh")


def decoys() -> frozenset[str]:
    """The sources in `applications/decoys`: what real systems hold that looks sensitive."""
    return frozenset(table.source for table in load() if table.part == "decoys")


def _third(source: str) -> int:
    return int.from_bytes(hashlib.sha256(source.encode()).digest()[:8], "big") % 3


def _write_csv(path: Path, table: Table) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([column.header for column in table.columns])
        writer.writerows(generate(table))
