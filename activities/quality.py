"""The activity behind `quality_task`: a gate over what a scan has found."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session
from temporalio import activity

from activities import rights
from activities.attempts import Attempt, Attempts, Performed
from activities.names import QUALITY
from activities.sql import usable
from models.messages import TaskCall, TaskOutput
from models.stores import compliance, scans
from racine import gates
from racine.definitions.given import parsed
from racine.definitions.kinds.quality import QualityTask
from racine.errors import NotFound, QualityFailed
from racine.governance.catalog.identity import asset_id

_TOLD = 200
"""Checks that a result lists; those that do not hold come first."""


class QualityTasks:
    """Judges gates."""

    def __init__(self, attempts: Attempts) -> None:
        self._attempts = attempts

    @activity.defn(name=QUALITY, no_thread_cancel_exception=True)
    def run(self, call: TaskCall) -> TaskOutput:
        """Make one attempt of a quality_task."""

        def work(attempt: Attempt, given: dict[str, Any]) -> Performed:
            task = parsed(QualityTask, "quality_task", given)
            judgement = gates.judge(task.checks, self._facts(attempt, task))
            values = _values(judgement)
            if task.on_fail == "FAIL" and not judgement.passed:
                raise _failure(judgement, values)
            return Performed(values, {"outcome": values["outcome"]})

        return self._attempts.carry_out(call, work)

    def _facts(self, attempt: Attempt, task: QualityTask) -> list[dict[str, Any]]:
        db, context = self._attempts.db, attempt.call.context
        with db.read() as session:
            if task.scan_id is not None:
                scan = scans.get(session, task.scan_id, workspace_id=context.workspace_id)
            else:
                source = usable(db, context.workspace_id, task.source or "")
                scan = _last(session, source.id, source.name)
            for permission in task.asks():
                rights.require(db, context, permission, scope=scan.source_id)
            return _Facts(session, scan).assets()


class _Facts:
    """Turns a scan's rows into what a gate's checks measure."""

    def __init__(self, session: Session, scan: scans.Scan) -> None:
        self._session, self._scan = session, scan
        counted = compliance.counts(session, scan.workspace_id, scan.source_id)
        self._judged = any(count.scan_id == scan.id for count in counted)
        self._standing = compliance.standing(session, scan.source_id)
        self._failing = compliance.failing(session, scan.source_id)

    def assets(self) -> list[dict[str, Any]]:
        columns = scans.columns_of(self._session, self._scan.id)
        return [
            self._asset(asset, columns.get(asset.id, []))
            for asset in scans.assets(self._session, self._scan.id)
        ]

    def _asset(self, asset: scans.ScanAsset, columns: list[scans.ScanColumn]) -> dict[str, Any]:
        source, found = self._scan.source_id, [self._column(asset, column) for column in columns]
        subjects = [asset_id(source, asset.name)]
        subjects += [asset_id(source, asset.name, column.name) for column in columns]
        cells = sum(column["values"] + column["nulls"] for column in found)
        nulls = sum(column["nulls"] for column in found)
        return {
            "name": asset.name,
            "kind": asset.kind,
            "rows": asset.rows,
            "null_share": nulls / cells if cells else None,
            "age_seconds": self._age(asset),
            **self._stands(subjects),
            "columns": {column["name"]: column for column in found},
        }

    def _column(self, asset: scans.ScanAsset, column: scans.ScanColumn) -> dict[str, Any]:
        profile: Mapping[str, Any] = column.profile
        values, nulls = int(profile.get("values", 0)), int(profile.get("nulls", 0))
        exact = bool(profile.get("distinct_exact")) and values > 0
        numbers = {name: profile[name] for name in ("number", "length") if name in profile}
        return {
            "name": column.name,
            "type": column.type,
            "values": values,
            "nulls": nulls,
            "distinct": profile.get("distinct") if exact else None,
            "null_share": nulls / (values + nulls) if values + nulls else None,
            "uniqueness": min(profile["distinct"], values) / values if exact else None,
            "kinds": sorted({found["kind"] for found in column.classifications}),
            **self._stands([asset_id(self._scan.source_id, asset.name, column.name)]),
            **numbers,
        }

    def _stands(self, subjects: list[str]) -> dict[str, Any]:
        """Return the state and the findings of an asset or a column; None before a validation."""
        if not self._judged:
            return {"compliance": None, "findings": None}
        standing = [pair for subject in subjects for pair in self._standing.get(subject, ())]
        states = ["waived" if state == "waived" else result for result, state in standing]
        worst = next((s for s in ("fail", "unknown", "waived") if s in states), "pass")
        findings = sum((self._failing.get(s, Counter()) for s in subjects), Counter[str]())
        return {"compliance": worst, "findings": dict(findings)}

    def _age(self, asset: scans.ScanAsset) -> float | None:
        """Return the seconds since the asset changed, where its source tells, or since the scan."""
        modified = asset.facts.get("modified")
        moment = datetime.fromisoformat(modified) if modified else self._scan.ended_at
        if moment is None:
            return None
        return round((datetime.now(UTC) - moment).total_seconds(), 1)


def _last(session: Session, source_id: str, name: str) -> scans.Scan:
    scan = scans.newest(session, source_id)
    if scan is None:
        raise NotFound(
            f"No scan of {name!r} has ended well.", next_step="Scan it in a task before the gate."
        )
    return scan


def _values(judgement: gates.Judgement) -> dict[str, Any]:
    return {
        "outcome": "passed" if judgement.passed else "failed",
        "passed": sum(outcome.state == "passed" for outcome in judgement.outcomes),
        "failed": judgement.count("error"),
        "warnings": judgement.count("warning"),
        "checks": judgement.told(_TOLD),
    }


def _failure(judgement: gates.Judgement, values: dict[str, Any]) -> QualityFailed:
    first = judgement.told(1)[0]
    measured = "was not measured" if first["state"] == "unknown" else f"is {first['measured']}"
    return QualityFailed(
        f"{values['failed']} of {len(judgement.outcomes)} checks do not hold; first: "
        f"{first['check']} of {first['asset']} {measured}, expected {first['expected']}."
        f" {first['message']}".rstrip(),
        next_step="Correct the data or the check; on_fail CONTINUE only decides the outcome.",
        details={name: values[name] for name in ("outcome", "failed", "warnings", "checks")},
    )
