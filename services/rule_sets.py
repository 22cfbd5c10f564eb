"""Scan rule sets and their versions."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from models.stores import rule_sets, scans, sources
from models.stores.paging import Page
from models.stores.rule_sets import RuleSet as RuleSet
from models.stores.rule_sets import RuleSetVersion as RuleSetVersion
from racine.errors import Conflict, InvalidInput
from racine.governance.scan_rule_sets import rules as rule_language
from racine.governance.scan_rule_sets.patterns import Explanation
from racine.governance.scan_rule_sets.rules import SYSTEM, Rules
from services import access, audit
from services.access import Actor

SYSTEM_ID = "system"
"""Stands for the system's own rule set, which has one version and cannot be changed."""


def create(session: Session, actor: Actor, name: str, content: dict[str, Any]) -> RuleSet:
    """Store a new rule set; raise Conflict when the workspace has one of that name."""
    access.require(session, actor, "scan_rule_sets:write")
    if rule_sets.named(session, actor.workspace_id, name) is not None:
        raise Conflict(
            f"The workspace has a rule set named {name!r}.",
            next_step="POST its next version to /api/scan-rule-sets/{id}/versions.",
        )
    return _save(session, actor, name, content, "rule_set.create")


def add_version(
    session: Session, actor: Actor, rule_set_id: str, content: dict[str, Any]
) -> RuleSet:
    """Store rules as the set's next version; the same rules again change nothing."""
    rule_set = _permitted(session, actor, rule_set_id, "scan_rule_sets:write")
    return _save(session, actor, rule_set.name, content, "rule_set.change")


def delete(session: Session, actor: Actor, rule_set_id: str) -> None:
    """Delete a rule set; scans that obeyed it keep the rules they had."""
    rule_set = _permitted(session, actor, rule_set_id, "scan_rule_sets:write")
    audit.record(session, actor, "rule_set.delete", rule_set.id, before=_summary(rule_set))
    rule_sets.delete(session, rule_set.id)


def get(session: Session, actor: Actor, rule_set_id: str) -> tuple[RuleSet, Rules]:
    """Return a rule set with its newest rules."""
    rule_set = _permitted(session, actor, rule_set_id, "scan_rule_sets:read")
    return rule_set, _rules(session, rule_set.id, None)


def listed(session: Session, actor: Actor, *, limit: int, cursor: str | None) -> Page[RuleSet]:
    access.require(session, actor, "scan_rule_sets:read")
    return rule_sets.listing(session, actor.workspace_id, limit=limit, cursor=cursor)


def version(session: Session, actor: Actor, rule_set_id: str, number: int) -> RuleSetVersion:
    rule_set = _permitted(session, actor, rule_set_id, "scan_rule_sets:read")
    return rule_sets.version(session, rule_set.id, number)


def versions(
    session: Session, actor: Actor, rule_set_id: str, *, limit: int, cursor: str | None
) -> Page[RuleSetVersion]:
    rule_set = _permitted(session, actor, rule_set_id, "scan_rule_sets:read")
    return rule_sets.versions(session, rule_set.id, limit=limit, cursor=cursor)


def diff(
    session: Session, actor: Actor, rule_set_id: str, before: int, after: int
) -> list[dict[str, Any]]:
    """Return what changed between two versions, field by field."""
    rule_set = _permitted(session, actor, rule_set_id, "scan_rule_sets:read")
    old, new = (_rules(session, rule_set.id, number) for number in (before, after))
    return rule_language.diff(old, new)


def explain(
    session: Session, actor: Actor, rule_set_id: str, names: list[str], number: int | None
) -> list[Explanation]:
    """Return for each asset name whether the rules take it in, and the pattern that decided."""
    if rule_set_id == SYSTEM_ID:
        access.require(session, actor, "scan_rule_sets:read")
        rules = SYSTEM
    else:
        rule_set = _permitted(session, actor, rule_set_id, "scan_rule_sets:read")
        rules = _rules(session, rule_set.id, number)
    selection = rules.selection()
    return [selection.explain(name) for name in names]


@dataclass(frozen=True)
class DryRun:
    """What a version takes in of the assets that a source listed last."""

    scan_id: str
    included: int
    excluded: int
    rows: int | None
    """Rows that would be read, as the source estimates them; None where it does not."""
    changes: list[tuple[str, bool, str]]
    """Assets that the other version treats differently: name, whether in, and why."""


def dry_run(
    session: Session, actor: Actor, rule_set_id: str, source_id: str, number: int | None,
    against: int | None,
) -> DryRun:  # fmt: skip
    """Return what a scan by a version would take in, and what it changes against another.

    Judged over the source's last listing, so nothing is asked of the source. Raises NotFound where
    there is none.
    """
    rule_set = _permitted(session, actor, rule_set_id, "scan_rule_sets:read")
    access.require(session, actor, "scan_logic:read", scope=source_id)
    source = sources.get(session, source_id, workspace_id=actor.workspace_id)
    scan, listed = scans.last_listing(session, source.id)
    rules = _rules(session, rule_set.id, number)
    other = _rules(session, rule_set.id, against).selection() if against else None
    selection = rules.selection()
    found = {name: selection.explain(name) for name, _ in listed}
    read = [_to_read(rules.for_asset(n), rows) for n, rows in listed if found[n].included]
    known = [rows for rows in read if rows is not None]
    return DryRun(
        scan_id=scan.id,
        included=len(read),
        excluded=len(found) - len(read),
        rows=sum(known) if len(known) == len(read) else None,
        changes=[
            (name, why.included, why.reason) for name, why in found.items()
            if other is not None and other.explain(name).included != why.included
        ],
    )  # fmt: skip


def _to_read(rules: Rules, rows: int | None) -> int | None:
    asked = [n for n in (rules.sample_rows, rules.budget.rows, rows) if n is not None]
    return min(asked, default=None)


def _save(
    session: Session, actor: Actor, name: str, content: dict[str, Any], action: str
) -> RuleSet:
    if name == SYSTEM_ID:
        raise InvalidInput(f"The name {SYSTEM_ID!r} is the system's own rule set's.")
    rules = rule_language.parse(content)
    before = rule_sets.named(session, actor.workspace_id, name)
    was = _summary(before) if before else None
    rule_set = rule_sets.save(
        session,
        actor.workspace_id,
        name,
        rules.model_dump(mode="json", exclude_unset=True),
        actor.id,
    )
    audit.record(session, actor, action, rule_set.id, before=was, after=_summary(rule_set))
    return rule_set


def _permitted(session: Session, actor: Actor, rule_set_id: str, permission: str) -> RuleSet:
    rule_set = rule_sets.get(session, rule_set_id)
    access.same_workspace(actor, rule_set.workspace_id, f"rule set {rule_set_id!r}")
    access.require(session, actor, permission)
    return rule_set


def _rules(session: Session, rule_set_id: str, number: int | None) -> Rules:
    return rule_language.parse(rule_sets.version(session, rule_set_id, number).content)


def _summary(rule_set: RuleSet) -> dict[str, Any]:
    return {"name": rule_set.name, "version": rule_set.version}
