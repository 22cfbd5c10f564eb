"""Classifiers of a workspace's own: measured, then kept, and used by its next scan."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from models import classifiers as bank
from models.settings import Settings
from models.stores import classifiers
from models.stores.classifiers import OwnClassifier as OwnClassifier
from models.stores.paging import Page
from racine.errors import InvalidInput
from racine.governance.classifications import custom, trying
from racine.governance.classifications.catalogue import Classifier
from racine.governance.classifications.trying import Report
from services import access, audit
from services.access import Actor


def listed(
    session: Session, actor: Actor, *, limit: int, cursor: str | None
) -> Page[OwnClassifier]:
    access.require(session, actor, "classifications:read")
    return classifiers.listing(session, actor.workspace_id, limit=limit, cursor=cursor)


def get(session: Session, actor: Actor, name: str) -> OwnClassifier:
    access.require(session, actor, "classifications:read")
    return classifiers.get(session, actor.workspace_id, name)


def measure(
    session: Session, actor: Actor, settings: Settings, declared: Sequence[Mapping[str, Any]]
) -> Report:
    """Return what is known of classifiers before they are saved; nothing is kept.

    Raises InvalidInput naming each statement that cannot be used.
    """
    access.require(session, actor, "classifications:read")
    entries = custom.from_declarations(declared)
    return trying.report(entries, _others(session, actor, settings, entries))


def put(
    session: Session, actor: Actor, settings: Settings, name: str, entry: Mapping[str, Any]
) -> tuple[OwnClassifier, Report]:
    """Keep a classifier under its id; the next scan gathers evidence by it.

    Raises InvalidInput when it cannot be used, fails one of its own examples, or has the id of one
    that the installation brings.
    """
    access.require(session, actor, "classifications:write")
    (made,) = custom.from_declarations([{**entry, "id": name}])
    others = _others(session, actor, settings, [made])
    if made.id in {other.id for other in bank.configured(settings)}:
        raise InvalidInput(
            f"The id {name} belongs to a classifier of this installation.",
            next_step="Choose another id.",
        )
    found = trying.report([made], others)
    if found.failures:
        raise InvalidInput(
            f"Nothing was saved: {found.failures[0]}.", next_step="Correct the entry or example."
        )
    before = classifiers.find(session, actor.workspace_id, name)
    was = dict(before.entry) if before else None
    kept = classifiers.save(session, actor.workspace_id, name, {**entry, "id": name}, actor.id)
    audit.record(session, actor, "classifier.write", kept.id, before=was, after=kept.entry)
    return kept, found


def delete(session: Session, actor: Actor, name: str) -> None:
    """Remove a classifier; what it suggested goes with the next scan, what people decided stays."""
    access.require(session, actor, "classifications:write")
    found = classifiers.get(session, actor.workspace_id, name)
    audit.record(session, actor, "classifier.delete", found.id, before=dict(found.entry))
    session.delete(found)


def _others(
    session: Session, actor: Actor, settings: Settings, entries: Sequence[Classifier]
) -> list[Classifier]:
    """Return the classifiers that stand beside those to be measured."""
    named = {entry.id for entry in entries}
    known = bank.of_workspace(session, actor.workspace_id, settings)
    return [entry for entry in known if entry.id not in named]
