"""Performs the operations of the compliance group."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session

from activities import governed
from activities.call import Call, Performers
from models.stores import asset_facts, compliance, remediation, sources
from racine.governance import compliance as group
from racine.governance.compliance import controls, judgement, plan, score
from racine.governance.compliance.subjects import Subject, subjects
from racine.governance.data_sources.states import SourceState

_RANK = {"low": 1, "medium": 2, "high": 3, "critical": 4}
_SHOWN = 10

Assessment = tuple[Subject, controls.Control, judgement.Judgement]


def validate(call: Call, given: group.ValidateInput) -> group.ValidateResult:
    """Judge a scan, and write what came of it, some findings a transaction.

    Doing it again, after a crash too, ends alike.
    """
    chosen, now = controls.controls(given.frameworks), datetime.now(UTC)
    with call.db.read() as session:
        found = governed.load(session, call, given.scan_id)
        stated = asset_facts.of_source(session, found.source.id)
    judged = list(subjects(governed.found_source(found), stated, now.date()))
    assessed = list(judgement.assess(judged, chosen))
    validation = compliance.Validation(
        found.scan.workspace_id, found.source.id, found.scan.id,
        {control.id for control in chosen}, {subject.id for subject in judged},
    )  # fmt: skip
    with call.db.write() as session:
        excused = compliance.waived(session, found.source.id, now)
    with call.db.read() as session:
        outcome = compliance.compare(
            session, validation, [_failure(*item) for item in assessed if _is_failure(item)],
            excused, {(c.id, s.id) for s, c, j in assessed if j.result == "pass"},
        )  # fmt: skip
    counts = _counts(assessed, excused)
    _write(call, validation, outcome, counts)
    with call.db.read() as session:
        still_open = len(compliance.still_open(session, found.source.id, result="fail"))
    return group.ValidateResult(
        passed=sum(c["passed"] for c in counts),
        failed=sum(c["failed"] for c in counts),
        unknown=sum(c["unknown"] for c in counts),
        waived=sum(c["waived"] for c in counts),
        findings=still_open,
        closed=len(outcome.over),
        by_severity=dict(_by_severity(counts)),
    )


def _write(
    call: Call, validation: compliance.Validation, outcome: compliance.Outcome,
    counts: Sequence[dict[str, Any]],
) -> None:  # fmt: skip
    *parts, last = outcome.parts()
    for part in parts:
        with call.db.write() as session:
            compliance.put(session, validation, part)
        call.heartbeat()
    with call.db.write() as session:
        compliance.put(session, validation, last)
        compliance.keep_counts(session, validation, counts)
        governed.advance(
            session, validation.source_id, SourceState.VALIDATING, SourceState.VALIDATED
        )


def _is_failure(item: Assessment) -> bool:
    return item[2].result in ("fail", "unknown")


def _failure(
    subject: Subject, control: controls.Control, judged: judgement.Judgement
) -> compliance.Failure:
    unknown = judged.result == "unknown"
    told = f"Not told, or out of date: {', '.join(judged.missing)}." if unknown else control.failure
    return compliance.Failure(
        control=control.id,
        framework=control.framework,
        subject_id=subject.id,
        table_id=subject.table_id,
        table_name=subject.table_name,
        subject=subject.name,
        subject_level=subject.level,
        severity=control.severity,
        severity_rank=_RANK[control.severity],
        result=judged.result,
        message=told,
        evidence=judged.evidence,
        missing=judged.missing,
    )


def _counts(assessed: Sequence[Assessment], excused: set[tuple[str, str]]) -> list[dict[str, Any]]:
    by_control: dict[str, Counter[str]] = {}
    known: dict[str, controls.Control] = {}
    for subject, control, judged in assessed:
        waived = judged.result == "fail" and (control.id, subject.id) in excused
        known[control.id] = control
        outcome = "waived" if waived else judged.result
        by_control.setdefault(control.id, Counter())[outcome] += 1
    return [
        {"framework": known[name].framework, "control": name, "severity": known[name].severity,
         "passed": n["pass"], "failed": n["fail"], "unknown": n["unknown"], "waived": n["waived"]}
        for name, n in by_control.items()
    ]  # fmt: skip


def _by_severity(counts: Sequence[dict[str, Any]]) -> Counter[str]:
    failed = Counter[str]()
    for count in counts:
        if count["failed"]:
            failed[count["severity"]] += count["failed"]
    return failed


def scored(call: Call, given: group.SourceScope) -> group.ScoreResult:
    with call.db.read() as session:
        return group.ScoreResult(scores=_scores(session, call, given))


def _scores(session: Session, call: Call, given: group.SourceScope) -> list[group.FrameworkScore]:
    source = sources.get(session, given.source_id, workspace_id=call.context.workspace_id)
    counts = compliance.counts(session, source.workspace_id, source.id, given.frameworks)
    return [
        group.FrameworkScore(**{**vars(item), "worst": list(item.worst)})
        for item in score.scores(as_counts(counts))
    ]


def as_counts(rows: Sequence[compliance.ControlCount]) -> list[score.Count]:
    return [
        score.Count(r.framework, r.control, r.severity, r.passed, r.failed, r.unknown, r.waived)
        for r in rows
    ]


def plan_remediation(call: Call, given: group.SourceScope) -> group.PlanResult:
    with call.db.read() as session:
        sources.get(session, given.source_id, workspace_id=call.context.workspace_id)
        found = remediation.open_findings(session, given.source_id, given.frameworks)
    steps = plan.plan(found)
    return group.PlanResult(
        steps=len(steps),
        closes=sum(len(step.closes) for step in steps),
        findings=len(found),
        first=[_shown(step) for step in steps[:_SHOWN]],
    )


def _shown(step: plan.Step) -> group.PlanStep:
    return group.PlanStep(
        place_id=step.place_id,
        place=step.place,
        fact=step.fact,
        changes=step.changes,
        instruction=step.instruction,
        owner=step.owner,
        closes=list(step.closes),
        decides=list(step.decides),
    )


def report(call: Call, given: group.SourceScope) -> group.ReportResult:
    with call.db.read() as session:
        scores = _scores(session, call, given)
        failures = compliance.still_open(session, given.source_id, given.frameworks, "fail")
    return group.ReportResult(
        source_id=given.source_id,
        scores=scores,
        failed=sum(item.failed for item in scores),
        unknown=sum(item.unknown for item in scores),
        waived=sum(item.waived for item in scores),
        worst=[f"{f.control} · {f.subject} · {f.message}" for f in failures[:_SHOWN]],
    )


PERFORMS: Performers = {
    group.VALIDATE: validate,
    group.SCORE: scored,
    group.PLAN: plan_remediation,
    group.REPORT: report,
}
