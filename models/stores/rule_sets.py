"""Queries over scan rule sets and their versions."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.stores.paging import Page, page
from models.tables.rule_sets import RuleSet, RuleSetVersion
from racine.errors import NotFound
from racine.governance.scan_rule_sets import rules as rule_language
from racine.governance.scan_rule_sets.rules import Rules
from racine.ids import new_id

__all__ = ["RuleSet", "RuleSetVersion"]

DEFAULT = "default"
"""Name of the rule set that every other one of its workspace inherits from, where it is there."""


@dataclass(frozen=True)
class Ruled:
    """The rules that a scan obeys, and the rule sets they were made of, the most general first."""

    content: dict[str, Any]
    layers: list[dict[str, Any]]

    @property
    def rules(self) -> Rules:
        return rule_language.parse(self.content)

    @property
    def rule_set_id(self) -> str | None:
        return self.layers[-1]["id"] if self.layers else None

    @property
    def version(self) -> int | None:
        return self.layers[-1]["version"] if self.layers else None

    def with_more(self, content: dict[str, Any]) -> "Ruled":
        """Return the same with rules of one scan alone on top."""
        return Ruled(_stored(rule_language.layered(self.content, content)), self.layers)


def ruled(session: Session, workspace_id: str, rule_set_id: str | None) -> Ruled:
    """Return a rule set's newest rules over the workspace's default ones over the system's."""
    found = [named(session, workspace_id, DEFAULT)]
    if rule_set_id is not None:
        found.append(get(session, rule_set_id, workspace_id=workspace_id))
    layers, contents = [], []
    for rule_set in {r.id: r for r in found if r is not None}.values():
        contents.append(version(session, rule_set.id).content)
        layers.append({"id": rule_set.id, "name": rule_set.name, "version": rule_set.version})
    return Ruled(_stored(rule_language.layered(*contents)), layers)


def _stored(rules: Rules) -> dict[str, Any]:
    return rules.model_dump(mode="json", exclude_unset=True)


def save(
    session: Session, workspace_id: str, name: str, content: dict[str, Any], actor: str
) -> RuleSet:
    """Store rules as the next version of the set of that name; the same rules change nothing."""
    rule_set = named(session, workspace_id, name)
    if rule_set is None:
        rule_set = RuleSet(id=new_id("rs"), workspace_id=workspace_id, name=name, version=0)
        session.add(rule_set)
        session.flush()
    elif version(session, rule_set.id).content == content:
        return rule_set
    rule_set.version += 1
    session.add(
        RuleSetVersion(
            id=new_id("rsv"), rule_set_id=rule_set.id, number=rule_set.version, content=content,
            created_by=actor,
        )
    )  # fmt: skip
    session.flush()
    return rule_set


def get(session: Session, rule_set_id: str, *, workspace_id: str | None = None) -> RuleSet:
    """Return a rule set; raise NotFound when there is none, or none in the workspace."""
    found = session.get(RuleSet, rule_set_id)
    if found is None or workspace_id not in (None, found.workspace_id):
        raise NotFound(
            f"There is no rule set {rule_set_id!r}.",
            next_step="GET /api/scan-rule-sets lists them.",
        )
    return found


def named(session: Session, workspace_id: str, name: str) -> RuleSet | None:
    return session.scalar(
        select(RuleSet).where(RuleSet.workspace_id == workspace_id, RuleSet.name == name)
    )


def listing(
    session: Session, workspace_id: str, *, limit: int = 50, cursor: str | None = None
) -> Page[RuleSet]:
    query = select(RuleSet).where(RuleSet.workspace_id == workspace_id)
    return page(session, query, RuleSet, limit=limit, cursor=cursor)


def version(session: Session, rule_set_id: str, number: int | None = None) -> RuleSetVersion:
    """Return one version, the newest unless told; raise NotFound when there is none."""
    number = number or get(session, rule_set_id).version
    found = session.scalar(
        select(RuleSetVersion).where(
            RuleSetVersion.rule_set_id == rule_set_id, RuleSetVersion.number == number
        )
    )
    if found is None:
        raise NotFound(f"The rule set has no version {number}.")
    return found


def versions(
    session: Session, rule_set_id: str, *, limit: int = 50, cursor: str | None = None
) -> Page[RuleSetVersion]:
    query = select(RuleSetVersion).where(RuleSetVersion.rule_set_id == rule_set_id)
    return page(session, query, RuleSetVersion, limit=limit, cursor=cursor)


def delete(session: Session, rule_set_id: str) -> None:
    session.delete(get(session, rule_set_id))
