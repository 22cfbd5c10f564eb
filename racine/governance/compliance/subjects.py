"""Turns what a scan found and what people stated into the facts of every subject."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from racine.governance.compliance.categories import LABELS, categories, highest
from racine.governance.compliance.facts import SCAN_MAX_AGE_DAYS, Level, Stated, readable

Statements = Mapping[str, Mapping[str, Stated]]
"""Stated facts by subject id and name."""


@dataclass(frozen=True)
class FoundColumn:
    """A column as the scan saw it; `kinds` leaves out what people rejected."""

    id: str
    name: str
    kinds: Sequence[str] = ()
    label: str = "internal"
    """The sensitivity that the kinds ask for."""
    readable_kinds: Sequence[str] = ()
    """Kinds whose sampled values validated."""
    empty: bool | None = None
    """No sampled row had a value; None when no row was sampled."""
    oldest_day: date | None = None


@dataclass(frozen=True)
class FoundTable:
    id: str
    name: str
    columns: Sequence[FoundColumn] = ()
    read: bool = True
    """The scan read it without error: only then do its classifications speak."""
    rows_read: int | None = None


@dataclass(frozen=True)
class FoundSource:
    id: str
    name: str
    transport: str | None
    """`local`, `tls`, `plain`, or None when the location does not say."""
    clean: bool
    scan_age_days: int
    tables: Sequence[FoundTable] = ()


@dataclass(frozen=True)
class Subject:
    """Something that controls judge, with all facts that it sees."""

    id: str
    name: str
    level: Level
    table_id: str | None
    facts: Mapping[str, Any]
    stale: tuple[str, ...] = ()
    table_name: str | None = None
    whole: bool = True
    """False for a table that was not read: it stands for its columns too."""


@dataclass
class _Above:
    """What a subject inherits: the statements and lasting facts of what contains it."""

    facts: dict[str, Any] = field(default_factory=dict)
    stale: tuple[str, ...] = ()


def subjects(source: FoundSource, stated: Statements, today: date) -> Iterator[Subject]:
    """Yield the source, then each table followed by its columns."""
    fresh = source.scan_age_days <= SCAN_MAX_AGE_DAYS
    above = _inherit(_Above(), stated.get(source.id, {}), today)
    above.facts["scan_age_days"] = source.scan_age_days
    if source.transport is not None:
        above.facts["transport"] = source.transport
    if fresh and source.clean:
        above.facts["enumerated"] = True
    found = _of_source(source) if fresh else {}
    yield Subject(
        source.id, source.name, "source", None, _labelled(found | above.facts), above.stale
    )
    for table in source.tables:
        yield from _of_table(table, above, stated, today, fresh)


def _of_table(
    table: FoundTable, above: _Above, stated: Statements, today: date, fresh: bool
) -> Iterator[Subject]:
    seen = _inherit(above, stated.get(table.id, {}), today)
    seen.facts.setdefault("owner", None)  # this catalog is the inventory that would name one
    speaks = fresh and table.read
    found = _table_facts(table, seen.facts, today) if speaks else {}
    facts = _labelled(found | seen.facts)
    yield Subject(
        table.id, table.name, "table", table.id, facts, seen.stale, table.name, whole=speaks
    )
    for column in table.columns if speaks else ():
        own = _inherit(seen, stated.get(column.id, {}), today)
        facts = _labelled(_column_facts(column, table) | own.facts)
        name = f"{table.name}.{column.name}"
        yield Subject(column.id, name, "column", table.id, facts, own.stale, table.name)


def _inherit(above: _Above, stated: Mapping[str, Stated], today: date) -> _Above:
    fresh, stale = readable(stated, today)
    kept = (name for name in above.stale if name not in fresh)
    inherited = {name: value for name, value in above.facts.items() if name not in stale}
    return _Above(inherited | fresh, tuple(dict.fromkeys((*kept, *stale))))


def _content(columns: Sequence[FoundColumn]) -> dict[str, Any]:
    kinds = {kind for column in columns for kind in column.kinds}
    return {
        "kinds": sorted(kinds),
        "categories": categories(kinds),
        "readable": categories(kind for column in columns for kind in column.readable_kinds),
        "content_rank": LABELS.index(highest(column.label for column in columns)),
    }


def _column_facts(column: FoundColumn, table: FoundTable) -> dict[str, Any]:
    facts = _content([column]) | {"rows_read": table.rows_read}
    if column.empty is not None:
        facts["empty"] = column.empty
    return facts


def _table_facts(table: FoundTable, seen: Mapping[str, Any], today: date) -> dict[str, Any]:
    facts = _content(table.columns) | {"rows_read": table.rows_read}
    oldest = [c.oldest_day for c in table.columns if c.name == seen.get("age_column")]
    if oldest and oldest[0] is not None:
        facts["oldest_row_days"] = (today - oldest[0]).days
    return facts


def _of_source(source: FoundSource) -> dict[str, Any]:
    return _content([column for table in source.tables if table.read for column in table.columns])


def _labelled(facts: dict[str, Any]) -> dict[str, Any]:
    """Add the label in force: the stated one, else the one that the content asks for.

    Beside it what is claimed to protect the values: where nobody claims anything, nothing is.
    """
    facts = facts | {"claimed_protection": facts.get("protection") or "none"}
    stated = facts.get("label")
    if stated is None and "content_rank" in facts:
        stated = LABELS[facts["content_rank"]]
    if stated is None:
        return facts
    return facts | {"sensitivity": stated, "sensitivity_rank": LABELS.index(highest([stated]))}
