"""The catalog as people use it: find assets, read their versions, say what only people know."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from models.stores import asset_facts, catalog, relabelling, search, sources
from models.stores.asset_facts import AssetFact as AssetFact
from models.stores.catalog import Asset as Asset
from models.stores.catalog import AssetVersion as AssetVersion
from models.stores.paging import Page, page
from racine.errors import InvalidInput
from racine.governance.catalog.content import Change, changes
from racine.governance.catalog.identity import asset_id
from racine.governance.compliance.facts import LEVELS, VOCABULARY, Fact, Level, check_entry
from services import access, audit
from services.access import Actor

MAX_TAGS = 50


@dataclass(frozen=True)
class Wanted:
    """What a list of assets is narrowed to."""

    kind: str | None = None
    source_id: str | None = None
    parent_id: str | None = None
    tag: str | None = None
    compliance: str | None = None
    sensitivity: str | None = None
    state: str = "active"


@dataclass(frozen=True)
class Place:
    """Where a fact is entered: a source, an asset of it, or a column of that, by name."""

    source_id: str
    asset: str = ""
    column: str = ""

    @property
    def id(self) -> str:
        return asset_id(self.source_id, self.asset, self.column)

    @property
    def level(self) -> Level:
        return LEVELS[bool(self.asset) + bool(self.asset and self.column)]


def listing(
    session: Session, actor: Actor, wanted: Wanted, *, limit: int = 50, cursor: str | None = None
) -> Page[Asset]:
    """Return the assets that the actor may see, newest first."""
    visible = access.visible(session, actor, "catalog:read", **catalog.SCOPE)
    query = catalog.matching(visible, **vars(wanted))
    return page(session, query, Asset, limit=limit, cursor=cursor)


def find(
    session: Session,
    actor: Actor,
    question: str,
    *,
    kinds: Sequence[str] = (),
    limit: int = 50,
    offset: int = 0,
) -> Sequence[Asset]:
    """Search names, places and what is said of assets; only what the actor may see is found."""
    visible = access.visible(session, actor, "catalog:read", **catalog.SCOPE)
    return search.find(session, visible, question, kinds=kinds, limit=limit, offset=offset)


def get(session: Session, actor: Actor, wanted: str) -> Asset:
    """Return an asset; raise NotFound also for one of another workspace."""
    found = catalog.get(session, wanted)
    access.same_workspace(actor, found.workspace_id, f"asset {wanted!r}")
    access.require(session, actor, "catalog:read", scope=found.table_id or found.id)
    return found


def children(session: Session, actor: Actor, wanted: str) -> Sequence[Asset]:
    return catalog.children(session, get(session, actor, wanted).id)


def tags_of(session: Session, assets: Sequence[Asset]) -> dict[str, list[str]]:
    """Return the tags of assets that the actor was shown already."""
    return catalog.tags(session, [asset.id for asset in assets])


def versions(
    session: Session, actor: Actor, wanted: str, *, limit: int = 50, cursor: str | None = None
) -> Page[AssetVersion]:
    """Return an asset's versions, newest first."""
    query = catalog.versions(get(session, actor, wanted).id)
    return page(session, query, AssetVersion, limit=limit, cursor=cursor)


def version(session: Session, actor: Actor, wanted: str, number: int) -> AssetVersion:
    return catalog.version(session, get(session, actor, wanted).id, number)


def as_of(session: Session, actor: Actor, wanted: str, at: datetime) -> AssetVersion:
    """Return the version of an asset that held at a moment."""
    return catalog.version_as_of(session, get(session, actor, wanted).id, at)


def diff(session: Session, actor: Actor, wanted: str, before: int, after: int) -> list[Change]:
    """Return what changed from one version of an asset to another."""
    asset = get(session, actor, wanted)
    old = catalog.version(session, asset.id, before)
    new = catalog.version(session, asset.id, after)
    return list(changes(
        {"state": old.state, **old.content}, {"state": new.state, **new.content}
    ))  # fmt: skip


def set_tags(session: Session, actor: Actor, wanted: str, tags: Sequence[str]) -> list[str]:
    """Give an asset exactly these tags; return them sorted."""
    asset = get(session, actor, wanted)
    access.require(session, actor, "catalog:write", scope=asset.table_id or asset.id)
    if len(set(tags)) > MAX_TAGS:
        raise InvalidInput(f"An asset has at most {MAX_TAGS} tags.")
    before = tags_of(session, [asset]).get(asset.id, [])
    catalog.set_tags(session, asset, tags)
    after = tags_of(session, [asset]).get(asset.id, [])
    relabelling.refresh(session, actor.id, [asset.id])
    audit.record(
        session, actor, "asset.tag", asset.id, before={"tags": before}, after={"tags": after}
    )
    return after


def vocabulary(session: Session, actor: Actor) -> list[Fact]:
    """Return every fact that controls may ask, by name."""
    access.require(session, actor, "catalog:read")
    return sorted(VOCABULARY.values(), key=lambda fact: fact.name)


def facts(session: Session, actor: Actor, place: Place) -> Sequence[AssetFact]:
    """Return what people entered at a place, by name."""
    _may(session, actor, "catalog:read", place)
    return asset_facts.of_asset(session, place.id)


def enter_facts(
    session: Session,
    actor: Actor,
    place: Place,
    values: Mapping[str, Any],
    *,
    valid_until: date | None = None,
    note: str = "",
) -> Sequence[AssetFact]:
    """Enter facts, each in place of the last of its name; null states that there is none.

    A place may be named before a scan finds it. Raises InvalidInput for what is no fact, does not
    fit its type or does not belong to this level.
    """
    workspace_id = _may(session, actor, "catalog:write", place)
    for name, value in values.items():
        check_entry(name, value, place.level)
    before = {fact.name: fact.value for fact in asset_facts.of_asset(session, place.id)}
    asset_facts.enter(
        session, (workspace_id, place.source_id, place.id), values,
        by=actor.id, valid_until=valid_until, note=note,
    )  # fmt: skip
    relabelling.refresh(session, actor.id, [place.id])
    audit.record(
        session, actor, "fact.enter", place.id,
        before={name: before[name] for name in values if name in before}, after=dict(values),
    )  # fmt: skip
    return asset_facts.of_asset(session, place.id)


def withdraw_fact(session: Session, actor: Actor, place: Place, name: str) -> None:
    """Remove a fact: it is unknown from now on."""
    _may(session, actor, "catalog:write", place)
    before = asset_facts.withdraw(session, place.id, name)
    relabelling.refresh(session, actor.id, [place.id])
    audit.record(session, actor, "fact.withdraw", place.id, before={name: before})


def _may(session: Session, actor: Actor, permission: str, place: Place) -> str:
    """Ask for a right on the place's source; return the source's workspace."""
    source = sources.get(session, place.source_id)
    access.same_workspace(actor, source.workspace_id, f"source {place.source_id!r}")
    access.require(session, actor, permission, scope=source.id)
    return source.workspace_id
