"""The review of what detectors found: a queue, decisions one by one or by pattern, relabelling."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy.orm import Session

from models import classifiers
from models.settings import Settings
from models.stores import relabelling, scans, sources, verdicts
from models.stores.paging import Page, page
from models.stores.verdicts import Verdict as Verdict
from racine.definitions.graph import did_you_mean
from racine.errors import InvalidInput
from racine.governance.catalog.identity import asset_id
from racine.governance.classifications.engine import catalogue
from racine.governance.classifications.evidence import (
    ClassifySettings,
    ColumnEvidence,
    Evidence,
    TableEvidence,
)
from racine.governance.classifications.explaining import ColumnExplanation, split_column
from racine.governance.classifications.explaining import explain as explain_column
from racine.governance.classifications.verdicts import Pin
from racine.governance.compliance.categories import label_of
from racine.governance.scan_rule_sets.rules import parse
from racine.patterns import matcher
from services import access, audit
from services.access import Actor

Decision = Literal["confirmed", "rejected"]

BULK_LIMIT = 10_000
"""Verdicts that one bulk decision may touch: each leaves a row in the audit trail."""


@dataclass(frozen=True)
class Wanted:
    """What a list of verdicts is narrowed to."""

    source_id: str | None = None
    state: str | None = None
    kind: str | None = None


def listing(
    session: Session, actor: Actor, wanted: Wanted, *, limit: int = 50, cursor: str | None = None
) -> Page[Verdict]:
    """Return the verdicts that the actor may see, newest first."""
    visible = access.visible(session, actor, "classifications:read", **verdicts.SCOPE)
    query = verdicts.matching(visible, **vars(wanted))
    return page(session, query, Verdict, limit=limit, cursor=cursor)


def queue(
    session: Session, actor: Actor, wanted: Wanted, *, limit: int = 50, after: str | None = None
) -> tuple[Sequence[Verdict], str | None]:
    """Return what waits for a person, most telling first, and where the next page begins."""
    visible = access.visible(session, actor, "classifications:read", **verdicts.SCOPE)
    query = verdicts.matching(visible, **vars(wanted), undecided=True)
    rows = verdicts.queue(session, query, limit + 1, after)
    shown = rows[:limit]
    return shown, f"{shown[-1].need}|{shown[-1].id}" if len(rows) > limit else None


def get(session: Session, actor: Actor, verdict_id: str) -> Verdict:
    """Return a verdict; raise NotFound also for one of another workspace."""
    found = verdicts.get(session, verdict_id)
    access.same_workspace(actor, found.workspace_id, f"verdict {verdict_id!r}")
    access.require(session, actor, "classifications:read", scope=found.source_id)
    return found


def explain(
    session: Session, actor: Actor, settings: Settings, source_id: str, column: str
) -> tuple[ColumnExplanation, Sequence[Verdict]]:
    """Return why a column of a scanned source holds what it holds, and what people said of it.

    The newest scan's evidence is judged again, by its own rules for that table and with the
    classifiers of users. Raises NotFound when no scan has read such a `table.column`.
    """
    source = sources.get(session, source_id)
    access.same_workspace(actor, source.workspace_id, f"source {source_id!r}")
    access.require(session, actor, "classifications:read", scope=source.id)
    names = scans.read_names(session, source.id)
    table, name = split_column(column, names)
    scan, shown = scans.last_read(session, source.id, table)
    rules = parse(scan.settings.get("rules", {})).for_asset(table)
    by = ClassifySettings(packs=rules.packs, disabled=rules.disabled, thresholds=rules.thresholds)
    own = classifiers.of_workspace(session, source.workspace_id, settings)
    told = explain_column(_evidence(table, shown), name, by, own)
    return told, verdicts.of_column(session, asset_id(source.id, table, name))


def _evidence(table: str, columns: Sequence[scans.ScanColumn]) -> TableEvidence:
    return TableEvidence(
        name=table,
        columns=tuple(
            ColumnEvidence(
                name=c.name, type=c.type, primary_key=c.primary_key, foreign_key=c.references or "",
                evidence=Evidence.model_validate(c.evidence) if c.evidence else None,
            )
            for c in columns
        ),
    )  # fmt: skip


def decide(
    session: Session, actor: Actor, verdict_id: str, decision: Decision, reason: str
) -> Verdict:
    """Confirm or reject a verdict; no later scan overturns it."""
    verdict = get(session, actor, verdict_id)
    access.require(session, actor, "classifications:approve", scope=verdict.source_id)
    _pin(session, actor, verdict, decision, reason)
    _show(session, actor, [verdict])
    return verdict


def decide_by_pattern(
    session: Session, actor: Actor, wanted: Wanted, pattern: str, decision: Decision, reason: str
) -> int:
    """Decide every undecided verdict whose `table.column` fits the pattern; return how many.

    Raises InvalidInput for a pattern that is none, and where it would touch too many.
    """
    fits = matcher(pattern)
    visible = access.visible(session, actor, "classifications:approve", **verdicts.SCOPE)
    query = verdicts.matching(visible, **vars(wanted), undecided=True)
    chosen = [v for v in session.scalars(query) if fits(f"{v.asset_name}.{v.column_name}")]
    if len(chosen) > BULK_LIMIT:
        raise InvalidInput(
            f"The pattern fits {len(chosen)} verdicts, more than {BULK_LIMIT} at once.",
            next_step="Narrow it by source, kind or table.",
        )
    for verdict in chosen:
        _pin(session, actor, verdict, decision, reason)
    _show(session, actor, chosen)
    return len(chosen)


def relabel(
    session: Session, actor: Actor, settings: Settings, verdict_id: str, kind: str, reason: str
) -> Verdict:
    """Reject a verdict and state what the column holds instead.

    Raises InvalidInput for a kind that no classifier has: its sensitivity would be a guess.
    """
    wrong = decide(session, actor, verdict_id, "rejected", reason)
    own = classifiers.of_workspace(session, wrong.workspace_id, settings)
    kinds = {entry.kind for entry in (*catalogue(), *own)}
    if kind not in kinds:
        raise InvalidInput(
            f"No classifier is of the kind {kind!r}.", next_step=did_you_mean(kind, sorted(kinds))
        )
    column = verdicts.Column(wrong.column_id, wrong.table_id, wrong.asset_name, wrong.column_name)
    pin = Pin(kind, kind, "confirmed", label_of([kind]))
    stated = verdicts.state_by_hand(
        session, wrong.workspace_id, wrong.source_id, column, pin, actor.id, reason
    )
    audit.record(session, actor, "verdict.state", stated.id, after=_summary(stated))
    _show(session, actor, [stated])
    return stated


def _pin(session: Session, actor: Actor, verdict: Verdict, decision: Decision, reason: str) -> None:
    before = verdicts.decide(session, verdict, state=decision, by=actor.id, reason=reason)
    audit.record(
        session, actor, f"verdict.{decision}", verdict.id, before=before, after=_summary(verdict)
    )


def _show(session: Session, actor: Actor, decided: Sequence[Verdict]) -> None:
    """Let the catalog show the columns as they are labelled now, each in a new version."""
    relabelling.refresh(session, actor.id, {verdict.column_id for verdict in decided})


def _summary(verdict: Verdict) -> dict[str, Any]:
    return {
        "column": f"{verdict.asset_name}.{verdict.column_name}",
        "classifier": verdict.classifier,
        "kind": verdict.kind,
        "state": verdict.state,
        "reason": verdict.reason,
    }
