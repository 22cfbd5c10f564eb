"""Are the verdicts of a read in chunks those of a read in one pass, on our own tables?

    uv run python -m bench.classification.chunks [CHUNKS]

Each table is read through the scan's own profile, once whole and once in chunks (two unless told
otherwise) between which the progress is written as JSON and read again, as it is after a crash;
values that several chunks hold are counted by the merged sketches. The last line is JSON.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from activities.coding import coder
from activities.connectors.protocol import Asset, Batch, Column
from activities.progress import Chunk, Progress
from bench.classification.examples import Part, own_rows
from bench.estates.specification import Table
from racine.governance.classifications.engine import (
    ColumnEvidence,
    TableEvidence,
    catalogue,
    decide,
)

_CODE = coder(bytes(32))
LEAST = 40
"""Rows of the smallest table that is read in chunks."""

Columns = dict[str, list[str | None]]


@dataclass
class Compared:
    """How many columns were compared, and those whose kinds differ."""

    columns: int = 0
    tables: int = 0
    differing: list[str] = field(default_factory=list)


def compare(tables: Sequence[tuple[Table, Columns]], chunks: int = 2) -> Compared:
    """Return how the verdicts of chunked reads compare with those of reads in one pass."""
    compared = Compared()
    for table, columns in tables:
        rows = len(next(iter(columns.values())))
        if rows < LEAST:
            continue
        whole, parts = (kinds(table.name, columns, count) for count in (1, chunks))
        compared.tables += 1
        compared.columns += len(whole)
        compared.differing += [
            f"{table.name}.{name}: {' '.join(whole[name]) or 'nothing'} in one pass, "
            f"{' '.join(parts[name]) or 'nothing'} in chunks"
            for name in whole
            if whole[name] != parts[name]
        ]
    return compared


def kinds(name: str, columns: Columns, chunks: int) -> dict[str, list[str]]:
    """Return column -> the kinds it is said to hold when read in so many chunks."""
    progress = _read(columns, chunks)
    shown = zip(columns, progress.evidence, strict=True)
    evidence = tuple(ColumnEvidence(name=column, evidence=found) for column, found in shown)
    verdicts = decide(TableEvidence(name=name, columns=evidence))
    return {v.name: [found.kind for found in v.classifications] for v in verdicts}


def _read(columns: Columns, chunks: int) -> Progress:
    asset = Asset("table", "file", tuple(Column(name, "text") for name in columns))
    rows = len(next(iter(columns.values())))
    size = -(-rows // chunks)
    progress = Progress()
    for start in range(0, rows, size):
        chunk = Chunk(asset, catalogue(), _CODE)
        part = tuple(values[start : start + size] for values in columns.values())
        chunk.add(Batch(part, len(part[0])))
        progress.add(chunk, None)
        progress = progress.again()
    return progress


def main() -> None:
    chunks = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    parts: tuple[Part, ...] = ("learned", "drawn")
    compared = compare([pair for part in parts for pair in own_rows(part)], chunks)
    for told in compared.differing:
        print(told)
    same = compared.columns - len(compared.differing)
    print(
        f"{same} of {compared.columns} columns in {compared.tables} tables are judged alike "
        f"in {chunks} chunks and in one pass"
    )
    print(
        json.dumps(
            {"chunks": chunks, "tables": compared.tables, "columns": compared.columns, "same": same}
        )
    )


if __name__ == "__main__":
    main()
