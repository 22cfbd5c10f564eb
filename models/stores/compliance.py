"""Queries over findings, waivers and what validations counted."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, insert, select, update
from sqlalchemy.orm import Session

from models.tables.compliance import ControlCount as ControlCount
from models.tables.compliance import Finding as Finding
from models.tables.compliance import Waiver as Waiver
from racine.errors import NotFound
from racine.ids import new_id

SCOPE = {"workspace": Finding.workspace_id, "source": Finding.source_id, "asset": Finding.table_id}
"""Which columns carry the scopes that a grant may name."""

_CHUNK = 5000
_FINDINGS = Finding.metadata.tables[Finding.__tablename__]
"""Written as a table, not as objects, where there are thousands of rows."""


@dataclass(frozen=True)
class Validation:
    """One validation of a source: what it covered."""

    workspace_id: str
    source_id: str
    scan_id: str
    controls: Collection[str]
    subjects: Collection[str]


@dataclass(frozen=True)
class Failure:
    """A control that a subject fails, or that cannot be decided."""

    control: str
    framework: str
    subject_id: str
    table_id: str | None
    table_name: str | None
    subject: str
    subject_level: str
    severity: str
    severity_rank: int
    result: str
    message: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    missing: Sequence[str] = ()


def waived(session: Session, source_id: str, now: datetime) -> set[tuple[str, str]]:
    """Return (control, subject id) of every waiver in force; those past their day are expired."""
    session.execute(
        update(Waiver)
        .where(Waiver.state == "approved", Waiver.expires_at <= now)
        .values(state="expired")
        .execution_options(synchronize_session="fetch")
    )
    rows = session.execute(
        select(Finding.control, Finding.subject_id)
        .join(Waiver, Waiver.finding_id == Finding.id)
        .where(Finding.source_id == source_id, Waiver.state == "approved")
    )
    return {(control, subject) for control, subject in rows}


@dataclass(frozen=True)
class Outcome:
    """What a validation makes of a source's findings, not written yet."""

    new: Sequence[dict[str, Any]] = ()
    changed: Sequence[dict[str, Any]] = ()
    same: Sequence[str] = ()
    """Ids of those that it has found again."""
    over: Sequence[dict[str, Any]] = ()
    """Those that it covered and no longer found."""

    def parts(self) -> Iterator["Outcome"]:
        """Cut it into what one transaction writes, so that other writers wait no longer.

        What is over stands in the last, where the validation ends.
        """
        for name in ("new", "changed", "same"):
            rows = getattr(self, name)
            for start in range(0, len(rows), _CHUNK):
                yield Outcome(**{name: rows[start : start + _CHUNK]})
        yield Outcome(over=self.over)


def compare(
    session: Session,
    validation: Validation,
    failures: Sequence[Failure],
    excused: Collection[tuple[str, str]],
    passed: Collection[tuple[str, str]],
) -> Outcome:
    """Tell what a validation's failures make of the findings that stand; nothing is written.

    A finding whose subject or control the validation did not cover stays as it is.
    """
    standing = _standing(session, validation)
    now = datetime.now(UTC)
    new, changed, same = [], [], []
    for item in failures:
        key = (item.control, item.subject_id)
        state = "waived" if item.result == "fail" and key in excused else "open"
        old = standing.pop(key, None)
        fingerprint = _fingerprint(item, state)
        if old is not None and (old.fingerprint, old.state) == (fingerprint, state):
            same.append(old.id)
            continue
        values = _values(item, validation.scan_id, state, now) | {"fingerprint": fingerprint}
        if old is None:
            new.append(_made(validation, item, now) | values)
        else:
            reopened = {"opened_at": now} if old.state == "closed" else {}
            changed.append({"id": old.id} | values | reopened)
    over = [_closed(old, key in passed, now) for key, old in standing.items()
            if old.state != "closed"]  # fmt: skip
    return Outcome(new, changed, same, over)


def put(session: Session, validation: Validation, part: Outcome) -> None:
    """Write a part of what a validation has found; again changes nothing more."""
    if part.new:
        session.execute(_FINDINGS.insert(), part.new)
    for rows in filter(None, (part.changed, part.over)):
        session.execute(update(Finding), rows)
    _seen_again(session, part.same, validation.scan_id)


def _fingerprint(item: Failure, state: str) -> str:
    said = (item.subject, item.severity, item.result, item.message, state,
            list(item.evidence.items()), list(item.missing))  # fmt: skip
    return hashlib.sha256(repr(said).encode("utf-8", "surrogatepass")).hexdigest()


def _seen_again(session: Session, ids: Sequence[str], scan_id: str) -> None:
    if ids:
        session.execute(
            update(Finding)
            .where(Finding.id.in_(ids))
            .values(scan_id=scan_id, last_seen_at=datetime.now(UTC))
            .execution_options(synchronize_session=False)
        )


def _standing(session: Session, validation: Validation) -> dict[tuple[str, str], Any]:
    rows = session.execute(
        select(
            Finding.id, Finding.control, Finding.subject_id, Finding.state, Finding.fingerprint
        ).where(Finding.source_id == validation.source_id)
    )
    return {
        (row.control, row.subject_id): row
        for row in rows
        if row.control in validation.controls and row.subject_id in validation.subjects
    }


def _made(validation: Validation, item: Failure, now: datetime) -> dict[str, Any]:
    return {
        "id": new_id("fnd"),
        "created_at": now,
        "opened_at": now,
        "workspace_id": validation.workspace_id,
        "source_id": validation.source_id,
        "control": item.control,
        "framework": item.framework,
        "subject_id": item.subject_id,
        "table_id": item.table_id,
        "subject_level": item.subject_level,
    }


def _values(item: Failure, scan_id: str, state: str, now: datetime) -> dict[str, Any]:
    return {
        "subject": item.subject,
        "table_name": item.table_name,
        "severity": item.severity,
        "severity_rank": item.severity_rank,
        "result": item.result,
        "state": state,
        "message": item.message,
        "evidence": dict(item.evidence),
        "missing": list(item.missing),
        "scan_id": scan_id,
        "last_seen_at": now,
        "closed_at": None,
        "closed_because": None,
    }


def _closed(old: Any, passed: bool, now: datetime) -> dict[str, Any]:
    result = "pass" if passed else "not_applicable"
    return {"id": old.id, "state": "closed", "result": result, "closed_at": now,
            "closed_because": result}  # fmt: skip


def close_gone(session: Session, subject_ids: Sequence[str]) -> None:
    """Close the findings of assets that are no longer there."""
    now = datetime.now(UTC)
    for start in range(0, len(subject_ids), _CHUNK):
        session.execute(
            update(Finding)
            .where(Finding.subject_id.in_(subject_ids[start : start + _CHUNK]),
                   Finding.state != "closed")
            .values(state="closed", closed_at=now, closed_because="asset_gone")
            .execution_options(synchronize_session=False)
        )  # fmt: skip


def keep_counts(
    session: Session, validation: Validation, counts: Sequence[Mapping[str, Any]]
) -> None:
    """Store what the validation counted per control, in place of the source's last counts."""
    session.execute(
        delete(ControlCount).where(
            ControlCount.source_id == validation.source_id,
            ControlCount.control.in_(validation.controls),
        )
    )
    now = datetime.now(UTC)
    common = {"workspace_id": validation.workspace_id, "source_id": validation.source_id,
              "scan_id": validation.scan_id, "validated_at": now, "created_at": now}  # fmt: skip
    rows = [{"id": new_id("cc"), **common, **count} for count in counts]
    if rows:
        session.execute(insert(ControlCount), rows)


def counts(
    session: Session, workspace_id: str, source_id: str | None = None,
    frameworks: Sequence[str] = (),
) -> list[ControlCount]:  # fmt: skip
    query = select(ControlCount).where(ControlCount.workspace_id == workspace_id)
    if source_id:
        query = query.where(ControlCount.source_id == source_id)
    if frameworks:
        query = query.where(ControlCount.framework.in_(frameworks))
    return list(session.scalars(query.order_by(ControlCount.control, ControlCount.source_id)))


def get(session: Session, finding_id: str) -> Finding:
    found = session.get(Finding, finding_id)
    if found is None:
        raise NotFound(f"There is no finding {finding_id!r}.")
    return found


def matching(
    visible: ColumnElement[bool],
    *,
    source_id: str | None = None,
    framework: str | None = None,
    control: str | None = None,
    state: str | None = None,
    result: str | None = None,
    severity: str | None = None,
) -> Select[Finding]:
    """Return the query of the findings that the asker may see and asked for."""
    query = select(Finding).where(visible)
    wanted = {
        Finding.source_id: source_id,
        Finding.framework: framework,
        Finding.control: control,
        Finding.state: state,
        Finding.result: result,
        Finding.severity: severity,
    }
    for column, value in wanted.items():
        if value is not None:
            query = query.where(column == value)
    return query


def still_open(
    session: Session, source_id: str, frameworks: Sequence[str] = (), result: str | None = None
) -> list[Finding]:
    """Return a source's open findings, worst first."""
    query = select(Finding).where(Finding.source_id == source_id, Finding.state == "open")
    if frameworks:
        query = query.where(Finding.framework.in_(frameworks))
    if result:
        query = query.where(Finding.result == result)
    worst = query.order_by(Finding.severity_rank.desc(), Finding.control, Finding.subject)
    return list(session.scalars(worst))


def standing(session: Session, source_id: str) -> dict[str, set[tuple[str, str]]]:
    """Return what is not closed of a source: subject id -> (result, state)."""
    rows = session.execute(
        select(Finding.subject_id, Finding.result, Finding.state).where(
            Finding.source_id == source_id, Finding.state != "closed"
        )
    )
    found: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for subject_id, result, state in rows:
        found[subject_id].add((result, state))
    return found


def failing(session: Session, source_id: str) -> dict[str, Counter[str]]:
    """Return how many open findings of each severity a source's subjects fail by: by subject id."""
    rows = session.execute(
        select(Finding.subject_id, Finding.severity).where(
            Finding.source_id == source_id, Finding.state == "open", Finding.result == "fail"
        )
    )
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for subject_id, severity in rows:
        found[subject_id][severity] += 1
    return found


def request_waiver(
    session: Session, finding: Finding, *, by: str, reason: str, compensating_control: str,
    expires_at: datetime,
) -> Waiver:  # fmt: skip
    waiver = Waiver(
        id=new_id("wvr"),
        workspace_id=finding.workspace_id,
        finding_id=finding.id,
        reason=reason,
        compensating_control=compensating_control,
        requested_by=by,
        expires_at=expires_at,
        state="requested",
    )
    session.add(waiver)
    session.flush()
    return waiver


def get_waiver(session: Session, waiver_id: str) -> Waiver:
    found = session.get(Waiver, waiver_id)
    if found is None:
        raise NotFound(f"There is no waiver {waiver_id!r}.")
    return found


def waivers(workspace_id: str, finding_id: str | None = None) -> Select[Waiver]:
    query = select(Waiver).where(Waiver.workspace_id == workspace_id)
    return query if finding_id is None else query.where(Waiver.finding_id == finding_id)
