"""Why a column got its verdict, and what would change it: in words and numbers, without a value."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Literal

from racine.errors import NotFound
from racine.governance.classifications.catalogue import Classifier, classifiers
from racine.governance.classifications.deciding import decide, threshold_of
from racine.governance.classifications.evidence import (
    Classification,
    ClassifySettings,
    ColumnEvidence,
    ColumnVerdict,
    Explanation,
    Frozen,
    TableEvidence,
)
from racine.governance.classifications.wording import percent

_NAMELESS = "column_1"
_HARDLY = 0.01
"""Probability from which a type is worth naming to somebody who asks."""


class Ranked(Frozen):
    """A type that the column may hold, and how far it is from counting."""

    classifier: str
    kind: str
    name: str
    mode: str
    confidence: float
    threshold: float
    holds: bool
    evidence: Explanation
    values_passing: int | None
    """Sampled distinct values that the type's own check or shape accepts."""
    values_read: int
    chance: float | None
    """Share of values of other sorts that the check accepts, measured; None without a check."""
    detector_version: str


class Change(Frozen):
    """What the verdict would be if one thing were otherwise, decided anew on the same evidence."""

    what: Literal["without its name", "without its neighbours", "under another name"]
    name: str
    kinds: tuple[str, ...]
    words: str


class ColumnExplanation(Frozen):
    """A column's verdict with everything that led to it."""

    table: str
    column: str
    rows: int
    distinct: int
    sampled: int
    placeholders: int
    shapes: dict[str, int]
    """Masked shapes that repeat: 9 a digit, A and a letters."""
    kinds: tuple[str, ...]
    sensitivity: str
    ranked: tuple[Ranked, ...]
    changes: tuple[Change, ...]


def explain(
    table: TableEvidence,
    column: str,
    settings: ClassifySettings | None = None,
    own: Sequence[Classifier] = (),
) -> ColumnExplanation:
    """Return why a column of the table is said to hold what it holds.

    Raises NotFound, naming the columns there are, when there is no such column.
    """
    at = _place(table, column)
    settings = settings or ClassifySettings()
    verdict = decide(table, settings, own, shown=_HARDLY)[at]
    evidence = table.columns[at].evidence
    return ColumnExplanation(
        table=table.name,
        column=column,
        rows=evidence.rows if evidence else 0,
        distinct=evidence.distinct if evidence else 0,
        sampled=evidence.sampled if evidence else 0,
        placeholders=evidence.placeholders if evidence else 0,
        shapes=evidence.shapes if evidence else {},
        kinds=_kinds(verdict),
        sensitivity=verdict.sensitivity,
        ranked=tuple(_ranked(table.columns[at], verdict, settings, own)),
        changes=tuple(_changes(table, at, verdict, settings, own)),
    )


def split_column(text: str, tables: Iterable[str]) -> tuple[str, str]:
    """Return the table and the column that `TABLE.COLUMN` means, where both may hold dots.

    A file may be written without its ending and its folder. Raises NotFound, naming tables that
    come near, when no table begins it.
    """
    names = list(tables)
    fitting = [(len(short), name, short) for name in names for short in _shorter(name)
               if text.startswith(f"{short}.") and len(text) > len(short) + 1]  # fmt: skip
    if not fitting and (table := next((n for n in names if text in (n, *_shorter(n))), "")):
        raise NotFound(
            f"{text!r} is a table; name one of its columns too.",
            next_step=f"Write {table}.COLUMN.",
        )
    if not fitting:
        near = get_close_matches(text.rpartition(".")[0] or text, names, 5, 0.3) or names[:5]
        raise NotFound(
            f"{text!r} begins with no table of the source.",
            next_step=f"Write TABLE.COLUMN; there are tables such as {', '.join(near)}.",
        )
    _, name, short = max(fitting)
    return name, text[len(short) + 1 :]


def _shorter(name: str) -> Iterable[str]:
    file = name.rpartition("/")[2]
    return {name, file, file.partition(".")[0], name.rpartition(".")[0]} - {""}


def _place(table: TableEvidence, column: str) -> int:
    names = [found.name for found in table.columns]
    if column not in names:
        raise NotFound(
            f"The table {table.name} has no column {column!r}.",
            next_step=f"It has: {', '.join(names[:50])}.",
        )
    return names.index(column)


def _kinds(verdict: ColumnVerdict) -> tuple[str, ...]:
    return tuple(found.kind for found in verdict.classifications)


def _ranked(
    column: ColumnEvidence,
    verdict: ColumnVerdict,
    settings: ClassifySettings,
    own: Sequence[Classifier],
) -> Iterable[Ranked]:
    entries = {entry.id: entry for entry in (*classifiers(), *own)}
    for found in (*verdict.classifications, *verdict.candidates):
        yield _rank(column, found, entries[found.id], settings, verdict)


def _rank(
    column: ColumnEvidence,
    found: Classification,
    entry: Classifier,
    settings: ClassifySettings,
    verdict: ColumnVerdict,
) -> Ranked:
    told_by = entry.decisive or entry.id
    evidence = column.evidence
    assert evidence is not None, "a column without evidence has no candidates"
    checked = found.mode == "is" and bool(entry.check or entry.shape or entry.decisive)
    return Ranked(
        classifier=found.id,
        kind=found.kind,
        name=entry.name,
        mode=found.mode,
        confidence=found.confidence,
        threshold=threshold_of(found, column.name, settings),
        holds=found in verdict.classifications,
        evidence=found.evidence,
        values_passing=evidence.hits.get(told_by, 0) if checked else None,
        values_read=evidence.tried.get(told_by, evidence.sampled),
        chance=entry.chance if checked and entry.chance < 1 else None,
        detector_version=found.detector_version,
    )


def _changes(
    table: TableEvidence,
    at: int,
    verdict: ColumnVerdict,
    settings: ClassifySettings,
    own: Sequence[Classifier],
) -> Iterable[Change]:
    column = table.columns[at]
    if column.evidence is None or not column.evidence.distinct:
        return
    nameless = _decided(table, at, _NAMELESS, settings, own)
    yield _change("without its name", "", nameless, verdict)
    alone = TableEvidence(columns=(column,))
    yield _change("without its neighbours", "", decide(alone, settings, own)[0], verdict)
    for found in verdict.candidates[:3]:
        name = next((e.headers[0] for e in (*own, *classifiers()) if _says(e, found)), "")
        if name:
            renamed = _decided(table, at, name, settings, own)
            yield _change("under another name", name, renamed, verdict)


def _says(entry: Classifier, found: Classification) -> bool:
    return entry.id == found.id and bool(entry.headers)


def _decided(
    table: TableEvidence,
    at: int,
    name: str,
    settings: ClassifySettings,
    own: Sequence[Classifier],
) -> ColumnVerdict:
    columns = list(table.columns)
    columns[at] = columns[at].model_copy(update={"name": name})
    changed = table.model_copy(update={"columns": tuple(columns)})
    return decide(changed, settings, own)[at]


def _change(
    what: Literal["without its name", "without its neighbours", "under another name"],
    name: str,
    changed: ColumnVerdict,
    verdict: ColumnVerdict,
) -> Change:
    kinds = _kinds(changed)
    condition = f"Named “{name}”" if name else what.capitalize()
    best = next(iter(changed.classifications), None)
    verb = "contain" if best and best.mode == "contains" else "hold"
    held = f"{best.kind} with {percent(best.confidence)}" if best else "nothing"
    same = "still " if kinds == _kinds(verdict) else ""
    return Change(
        what=what, name=name, kinds=kinds, words=f"{condition} it would {same}{verb} {held}."
    )
