"""Performs the assisted review: proposes verdicts, and decides them as people answered."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from activities import rights
from activities.call import Call, Performers
from models.stores import activities as log
from models.stores import controls, relabelling, sources, users, verdicts
from models.stores.verdicts import Verdict
from racine.errors import Conflict, NotFound
from racine.governance import classifications as group
from racine.governance.classifications import answers
from racine.governance.classifications.answers import Answer, Word
from racine.governance.classifications.verdicts import Pin
from racine.governance.classifications.wording import percent
from racine.governance.compliance.categories import label_of

_SHOWN = 20
"""Proposals that an approval's prompt lists."""


def propose(call: Call, given: group.ProposeInput) -> group.ProposeResult:
    with call.db.read() as session:
        sources.get(session, given.source_id, workspace_id=call.context.workspace_id)
        uncertain = verdicts.uncertain(session, given.source_id, given.at_least, given.below)
        sure = verdicts.sure(session, given.source_id, given.below)
    chosen = [_proposal(verdict) for verdict in uncertain[: given.limit]]
    return group.ProposeResult(
        waiting=len(chosen),
        more=len(uncertain) - len(chosen),
        sure=sure,
        verdict_ids=[proposal.verdict_id for proposal in chosen],
        summary="\n".join(_line(proposal) for proposal in chosen[:_SHOWN]),
        proposals=chosen,
    )


def _proposal(verdict: Verdict) -> group.Proposal:
    return group.Proposal(
        verdict_id=verdict.id,
        column=_column(verdict),
        kind=verdict.kind,
        confidence=verdict.confidence,
        sensitivity=verdict.sensitivity,
        why=str(verdict.evidence.get("words", "")),
    )


def _column(verdict: Verdict) -> str:
    return f"{verdict.asset_name}.{verdict.column_name}"


def _line(proposal: group.Proposal) -> str:
    return f"{proposal.column}: {proposal.kind}, {percent(proposal.confidence)}"


def review(call: Call, given: group.ReviewInput) -> group.ReviewResult:
    """Raises Conflict where nobody's recorded approval stands behind it, Forbidden where an
    approver may not decide on classifications."""
    words = _words(call, given.approval)
    for word in words:
        context = call.context.model_copy(update={"actor": word.actor})
        rights.require(call.db, context, "classifications:approve")
    with call.db.write() as session:
        sources.get(session, given.source_id, workspace_id=call.context.workspace_id)
        proposed = verdicts.chosen(session, given.source_id, given.verdict_ids)
        found = answers.read(words, {v.id: _column(v) for v in proposed})
        counts = Counter(_decide(session, call, v, found.given[v.id]) for v in proposed)
        relabelling.refresh(session, words[-1].actor, {v.column_id for v in proposed})
    return group.ReviewResult(
        confirmed=counts["confirmed"],
        rejected=counts["rejected"],
        relabelled=counts["relabelled"],
        left=len(given.verdict_ids) - counts["confirmed"] - counts["rejected"]
        - counts["relabelled"],
        not_understood=list(found.not_understood),
    )  # fmt: skip


def _words(call: Call, task_key: str) -> Sequence[Word]:
    """Return who approved in this run, as their orders were recorded: a job cannot make them up."""
    with call.db.read() as session:
        orders = controls.approvals(session, call.context.run_id, task_key)
    if not orders:
        raise Conflict(
            f"Nobody has approved the task {task_key!r} of this run.",
            next_step="Let this task depend on an approval task, and name it in `approval`.",
        )
    return [
        Word(
            order.actor,
            order.arguments.get("arguments", {}).get("form") or {},
            order.arguments.get("reason", ""),
        )
        for order in orders
    ]


def _decide(session: Session, call: Call, verdict: Verdict, answer: Answer) -> str:
    if verdict.decided_by is not None:
        return _repeated(session, verdict, answer)
    if answer.said == answers.LEFT:
        return "left"
    relabelled = answer.said not in (answers.CONFIRMED, answers.REJECTED)
    state = answers.REJECTED if relabelled else answer.said
    reason = answer.reason or "assisted classification"
    before = verdicts.decide(session, verdict, state=state, by=answer.by, reason=reason)
    _note(session, call, answer.by, f"verdict.{state}", verdict, before)
    if relabelled:
        column = verdicts.Column(
            verdict.column_id, verdict.table_id, verdict.asset_name, verdict.column_name
        )
        pin = Pin(answer.said, answer.said, "confirmed", label_of([answer.said]))
        stated = verdicts.state_by_hand(
            session, verdict.workspace_id, verdict.source_id, column, pin, answer.by, reason
        )
        _note(session, call, answer.by, "verdict.state", stated, None)
        return "relabelled"
    return state


def _repeated(session: Session, verdict: Verdict, answer: Answer) -> str:
    """Return what an earlier attempt did with the verdict, or that somebody else decided it."""
    if verdict.decided_by != answer.by:
        return "left"
    if answer.said in (answers.CONFIRMED, answers.REJECTED):
        return answer.said if verdict.state == answer.said else "left"
    stated = {v.kind for v in verdicts.of_column(session, verdict.column_id) if v.decided_by}
    return "relabelled" if answer.said in stated else "left"


def _note(
    session: Session, call: Call, by: str, action: str, verdict: Verdict,
    before: dict[str, Any] | None,
) -> None:  # fmt: skip
    try:
        name = users.get(session, by).name
    except NotFound:
        name = by
    after = {"column": _column(verdict), "kind": verdict.kind, "state": verdict.state,
             "reason": verdict.reason, "run": call.context.run_id}  # fmt: skip
    log.append(
        session, chain=call.context.workspace_id, actor_id=by, actor_name=name, action=action,
        object_id=verdict.id, before=before, after=after, outcome="done", request_id="",
        origin="workflow",
    )  # fmt: skip


PERFORMS: Performers = {group.PROPOSE: propose, group.REVIEW: review}
