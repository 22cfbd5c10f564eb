"""Queries over verdicts and the review queue."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, func, select, update
from sqlalchemy.orm import Session

from models.tables.verdicts import Verdict as Verdict
from racine.errors import NotFound
from racine.governance.classifications.verdicts import Found, Pin, need
from racine.ids import new_id

SCOPE = {"workspace": Verdict.workspace_id, "source": Verdict.source_id, "asset": Verdict.table_id}
"""Which columns carry the scopes that a grant may name."""

_CHUNK = 5000
_VERDICTS = Verdict.metadata.tables[Verdict.__tablename__]
"""Written as a table, not as objects, where there are thousands of rows."""


@dataclass(frozen=True)
class Column:
    """A column under its catalog ids."""

    id: str
    table_id: str
    asset_name: str
    name: str


@dataclass(frozen=True)
class Scanned:
    workspace_id: str
    source_id: str
    scan_id: str


def pins(session: Session, source_id: str) -> dict[str, dict[str, Pin]]:
    """Return people's decisions on a source: column id -> classifier -> pin."""
    rows = session.execute(
        select(Verdict.column_id, Verdict.classifier, Verdict.kind, Verdict.state,
               Verdict.sensitivity)
        .where(Verdict.source_id == source_id, Verdict.decided_by.is_not(None))
    )  # fmt: skip
    found: dict[str, dict[str, Pin]] = defaultdict(dict)
    for column_id, classifier, kind, state, sensitivity in rows:
        found[column_id][classifier] = Pin(classifier, kind, state, sensitivity)
    return found


def keep(
    session: Session, scanned: Scanned, found: Sequence[tuple[Column, Sequence[Found]]]
) -> None:
    """Store what detectors say of the scanned columns; people's decisions stay as they are.

    Suggestions that detectors no longer make go. Doing it again changes nothing but the times.
    """
    standing = {
        (row.column_id, row.classifier): row
        for row in _standing(session, scanned.source_id, [column.id for column, _ in found])
    }
    new, changed, same = [], [], []
    for column, items in found:
        for item in items:
            old = standing.pop((column.id, item.classifier), None)
            if old is not None and old.fingerprint == _fingerprint(item):
                same.append(old.id)
                continue
            decided = old is not None and old.decided_by is not None
            values = _refreshed(scanned, item, decided=decided)
            if old is None:
                new.append(_made(scanned, column, item.classifier) | values)
            else:
                changed.append({"id": old.id} | values)
    if new:
        session.execute(_VERDICTS.insert(), new)
    if changed:
        session.execute(update(Verdict), changed)
    _seen_again(session, same, scanned.scan_id)
    _withdraw(session, [row.id for row in standing.values() if row.decided_by is None])


def _standing(session: Session, source_id: str, column_ids: Sequence[str]) -> Iterator[Any]:
    """Yield what stands of some columns of a source."""
    for start in range(0, len(column_ids), _CHUNK):
        yield from session.execute(
            select(Verdict.id, Verdict.column_id, Verdict.classifier, Verdict.decided_by,
                   Verdict.fingerprint)
            .where(Verdict.source_id == source_id,
                   Verdict.column_id.in_(column_ids[start : start + _CHUNK]))
        )  # fmt: skip


def _made(scanned: Scanned, column: Column, classifier: str) -> dict[str, Any]:
    return {
        "id": new_id("vdt"),
        "created_at": datetime.now(UTC),
        "workspace_id": scanned.workspace_id,
        "source_id": scanned.source_id,
        "table_id": column.table_id,
        "column_id": column.id,
        "asset_name": column.asset_name,
        "column_name": column.name,
        "classifier": classifier,
        "state": "suggested",
        "reason": "",
    }


def _refreshed(scanned: Scanned, item: Found, *, decided: bool) -> dict[str, Any]:
    """Return what a scan may say anew; whether a decided verdict applies is not its to say."""
    values = {
        "kind": item.kind,
        "confidence": item.confidence,
        "need": need(item.confidence, item.sensitivity, decided=decided),
        "sensitivity": item.sensitivity,
        "evidence": dict(item.evidence),
        "detector_version": item.detector_version,
        "fingerprint": _fingerprint(item),
        "scan_id": scanned.scan_id,
        "last_seen_at": datetime.now(UTC),
    }
    return values if decided else values | {"applied": item.applied}


def _fingerprint(item: Found) -> str:
    return hashlib.sha256(repr(item).encode()).hexdigest()


def _seen_again(session: Session, ids: Sequence[str], scan_id: str) -> None:
    for start in range(0, len(ids), _CHUNK):
        session.execute(
            update(Verdict)
            .where(Verdict.id.in_(ids[start : start + _CHUNK]))
            .values(scan_id=scan_id, last_seen_at=datetime.now(UTC))
            .execution_options(synchronize_session=False)
        )


def _withdraw(session: Session, ids: Sequence[str]) -> None:
    for start in range(0, len(ids), _CHUNK):
        session.execute(delete(Verdict).where(Verdict.id.in_(ids[start : start + _CHUNK])))


def get(session: Session, verdict_id: str) -> Verdict:
    found = session.get(Verdict, verdict_id)
    if found is None:
        raise NotFound(f"There is no verdict {verdict_id!r}.")
    return found


def of_column(session: Session, column_id: str) -> list[Verdict]:
    rows = select(Verdict).where(Verdict.column_id == column_id)
    return list(session.scalars(rows.order_by(Verdict.confidence.desc(), Verdict.classifier)))


def matching(
    visible: ColumnElement[bool],
    *,
    source_id: str | None = None,
    state: str | None = None,
    kind: str | None = None,
    undecided: bool = False,
) -> Select[Verdict]:
    """Return the query of the verdicts that the asker may see and asked for."""
    query = select(Verdict).where(visible)
    if source_id:
        query = query.where(Verdict.source_id == source_id)
    if state:
        query = query.where(Verdict.state == state)
    if kind:
        query = query.where(Verdict.kind == kind)
    if undecided:
        query = query.where(Verdict.decided_by.is_(None))
    return query


def uncertain(session: Session, source_id: str, at_least: float, below: float) -> list[Verdict]:
    """Return a source's undecided verdicts of a confidence from `at_least` to `below`.

    One a column, its likeliest, the most telling first; none of a column labelled by a person.
    """
    labelled = select(Verdict.column_id).where(
        Verdict.source_id == source_id, Verdict.decided_by.is_not(None), Verdict.applied
    )
    query = select(Verdict).where(
        Verdict.source_id == source_id, Verdict.decided_by.is_(None),
        Verdict.column_id.not_in(labelled),
    )  # fmt: skip
    best: dict[str, Verdict] = {}
    for verdict in session.scalars(query.order_by(Verdict.confidence.desc(), Verdict.id)):
        best.setdefault(verdict.column_id, verdict)
    chosen = [v for v in best.values() if at_least <= v.confidence < below]
    return sorted(chosen, key=lambda v: (-v.need, v.id))


def sure(session: Session, source_id: str, below: float) -> int:
    """Return how many verdicts of a source stand at a confidence of `below` or more."""
    query = select(func.count()).where(
        Verdict.source_id == source_id, Verdict.applied, Verdict.confidence >= below
    )
    return session.scalar(query) or 0


def chosen(session: Session, source_id: str, verdict_ids: Sequence[str]) -> list[Verdict]:
    """Return those of the verdicts that the source still has, in the order of their ids."""
    query = select(Verdict).where(Verdict.source_id == source_id, Verdict.id.in_(verdict_ids))
    return list(session.scalars(query.order_by(Verdict.id)))


def queue(session: Session, query: Select[Verdict], limit: int, after: str | None) -> list[Verdict]:
    """Return undecided verdicts by need, greatest first; `after` is `need|id` of the last seen."""
    if after:
        most, _, last = after.partition("|")
        query = query.where(
            (Verdict.need < float(most)) | ((Verdict.need == float(most)) & (Verdict.id > last))
        )
    return list(session.scalars(query.order_by(Verdict.need.desc(), Verdict.id).limit(limit)))


def decide(
    session: Session, verdict: Verdict, *, state: str, by: str, reason: str
) -> dict[str, Any]:
    """Pin a verdict to a person's decision; return what it was before."""
    before = {"state": verdict.state, "decided_by": verdict.decided_by, "reason": verdict.reason}
    verdict.state, verdict.applied = state, state == "confirmed"
    verdict.decided_by, verdict.decided_at, verdict.reason = by, datetime.now(UTC), reason
    verdict.need = 0.0
    return before


def state_by_hand(
    session: Session, workspace_id: str, source_id: str, column: Column, pin: Pin, by: str,
    reason: str,
) -> Verdict:  # fmt: skip
    """Store a label that a person gives, in place of or beside what detectors said."""
    verdict = session.scalar(
        select(Verdict).where(Verdict.column_id == column.id, Verdict.classifier == pin.classifier)
    )
    if verdict is None:
        scanned = Scanned(workspace_id, source_id, "")
        found = Found(pin.classifier, pin.kind, 1.0, True, pin.sensitivity,
                      {"stated": "by a person"})  # fmt: skip
        values = _made(scanned, column, pin.classifier) | _refreshed(scanned, found, decided=False)
        verdict = Verdict(**values | {"scan_id": None})
        session.add(verdict)
    decide(session, verdict, state=pin.state, by=by, reason=reason)
    session.flush()
    return verdict


def in_force(session: Session, column_ids: Sequence[str]) -> Mapping[str, list[Verdict]]:
    """Return the applied verdicts of columns, best first."""
    found: dict[str, list[Verdict]] = defaultdict(list)
    for start in range(0, len(column_ids), _CHUNK):
        rows = select(Verdict).where(
            Verdict.column_id.in_(column_ids[start : start + _CHUNK]), Verdict.applied.is_(True)
        )
        for verdict in session.scalars(rows.order_by(Verdict.confidence.desc())):
            found[verdict.column_id].append(verdict)
    return found
