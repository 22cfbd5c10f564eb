"""How far the reading of an asset has come: chunk by chunk, each adding to what is known."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from activities.connectors.protocol import Asset, Batch, Position
from racine.governance.classifications.engine import Classifier, Evidence, gather, together
from racine.governance.scan_logic.column_sketch import ColumnSketch
from racine.governance.scan_logic.profile import (
    CHARACTERS_LIMIT,
    DISTINCT_LIMIT,
    VALUES_LIMIT,
    ColumnProfile,
)
from racine.governance.scan_logic.sketches import Coder

_CHUNK_ROWS = 100_000
_CHUNK_CELLS = 3_000_000
_LEAST_ROWS = 10_000
"""What closing a chunk costs, some milliseconds for each column, is little beside reading these."""


def chunk_rows(columns: int) -> int:
    """Return after how many rows of so many columns the progress is kept."""
    return max(_LEAST_ROWS, min(_CHUNK_ROWS, _CHUNK_CELLS // max(columns, 1)))


@dataclass
class Progress:
    """What was read of an asset so far, and where reading goes on."""

    rows: int = 0
    chunks: int = 0
    position: Position | None = None
    sketches: list[ColumnSketch] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    irregular: Counter[str] = field(default_factory=Counter)
    """What was wrong in the rows, in words, and how often."""

    def add(self, chunk: "Chunk", position: Position | None) -> None:
        """Take in the rows of a chunk, which ends with it."""
        sketches, evidence = chunk.closed()
        if self.chunks:
            for mine, theirs in zip(self.sketches, sketches, strict=True):
                mine.merge(theirs)
            counts = [sketch.distinct for sketch in self.sketches]
            pairs = zip(self.evidence, evidence, counts, strict=True)
            evidence = [together(old, new, count) for old, new, count in pairs]
        else:
            self.sketches = sketches
        self.evidence = evidence
        self.irregular.update(chunk.irregular)
        self.rows, self.chunks, self.position = self.rows + chunk.rows, self.chunks + 1, position

    def again(self) -> "Progress":
        """Return it as an attempt after a crash would find it, so that both go on alike."""
        return Progress.from_json(
            self.to_json(), rows=self.rows, chunks=self.chunks, position=self.position
        )

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` takes: one object a column, and what was wrong in the rows."""
        columns = [
            {"sketch": sketch.to_json(), "evidence": found.model_dump(mode="json")}
            for sketch, found in zip(self.sketches, self.evidence, strict=True)
        ]
        return {"columns": columns, "irregular": dict(self.irregular)}

    @classmethod
    def from_json(
        cls, stored: Mapping[str, Any], *, rows: int, chunks: int, position: Position | None
    ) -> "Progress":
        columns = stored["columns"]
        sketches = [ColumnSketch.from_json(column["sketch"]) for column in columns]
        evidence = [Evidence.model_validate(column["evidence"]) for column in columns]
        return cls(rows, chunks, position, sketches, evidence, Counter(stored["irregular"]))


class Chunk:
    """Some consecutive rows of an asset, whose values are in memory until it is closed."""

    def __init__(self, asset: Asset, bank: Sequence[Classifier], code: Coder | None) -> None:
        self._columns = _profiles(asset, code)
        self._bank = bank
        self.rows = 0
        self.irregular: Counter[str] = Counter()

    def add(self, batch: Batch) -> int:
        """Take a batch in; return about how many bytes of text it holds."""
        before = sum(column.bytes for column in self._columns)
        for column, values in zip(self._columns, batch.columns, strict=True):
            column.add(values)
        self.rows += batch.rows
        self.irregular.update(batch.irregular)
        return sum(column.bytes for column in self._columns) - before

    def closed(self) -> tuple[list[ColumnSketch], list[Evidence]]:
        """Return what is known of each column, which is let go then: a wide table has many."""
        sketches, evidence = list[ColumnSketch](), list[Evidence]()
        self._columns.reverse()
        while self._columns:
            column = self._columns.pop()
            sample = column.sample()
            sketches.append(column.sketch(sample))
            evidence.append(gather(sample, using=self._bank))
        return sketches, evidence


def _profiles(asset: Asset, code: Coder | None) -> list[ColumnProfile]:
    """Return a profile for each column, which share what memory the table may take."""
    width = max(len(asset.columns), 1)
    limit = max(200, min(DISTINCT_LIMIT, VALUES_LIMIT // width))
    characters = max(4096, CHARACTERS_LIMIT // width)
    return [
        ColumnProfile(
            blank_is_null=asset.kind == "file", limit=limit, characters=characters,
            code=code,
        )
        for _ in asset.columns
    ]  # fmt: skip
