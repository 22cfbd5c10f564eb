"""One source with one table of one column, described by what differs from the usual."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from racine.governance.compliance.categories import label_of
from racine.governance.compliance.controls import Control
from racine.governance.compliance.facts import Stated
from racine.governance.compliance.judgement import Judgement, assess
from racine.governance.compliance.subjects import (
    FoundColumn,
    FoundSource,
    FoundTable,
    Subject,
    subjects,
)

TODAY = date(2026, 11, 1)


@dataclass(frozen=True)
class World:
    """`source`, `table` and `column` hold what people stated there; the rest is what was found."""

    kinds: tuple[str, ...] = ()
    readable: tuple[str, ...] = ()
    empty: bool | None = False
    oldest_days: int | None = None
    read: bool = True
    transport: str | None = "local"
    clean: bool = True
    scan_age: int = 0
    source: Mapping[str, Any] = field(default_factory=dict)
    table: Mapping[str, Any] = field(default_factory=dict)
    column: Mapping[str, Any] = field(default_factory=dict)
    stated_days_ago: int = 0

    def subjects(self) -> list[Subject]:
        oldest = TODAY - timedelta(days=self.oldest_days) if self.oldest_days is not None else None
        label = label_of(self.kinds)
        column = FoundColumn("c", "value", self.kinds, label, self.readable, self.empty, oldest)
        table = FoundTable("t", "people", (column,), self.read, rows_read=100)
        source = FoundSource("s", "shop", self.transport, self.clean, self.scan_age, (table,))
        stated = {"s": self._stated(self.source), "t": self._stated(self.table),
                  "c": self._stated(self.column)}  # fmt: skip
        return list(subjects(source, stated, TODAY))

    def judge(self, control: Control) -> Judgement:
        """Return the one judgement that the control comes to in this world."""
        (found,) = (judgement for _, _, judgement in assess(self.subjects(), [control]))
        return found

    def _stated(self, values: Mapping[str, Any]) -> dict[str, Stated]:
        at = datetime.combine(TODAY, datetime.min.time(), UTC)
        entered = at - timedelta(days=self.stated_days_ago)
        return {name: Stated(value, entered) for name, value in values.items()}


def days_ago(days: int) -> str:
    return (TODAY - timedelta(days=days)).isoformat()
