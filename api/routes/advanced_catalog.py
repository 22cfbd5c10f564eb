"""The catalog: search, assets, their versions, tags and what people say of them."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, status
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.deps import Me, ReadSession, WriteSession
from services import catalog
from services.catalog import Place, Wanted

router = APIRouter(prefix="/api/advanced-catalog", tags=["catalog"])

Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str | None, Query(max_length=200)]
Named = Annotated[str | None, Query(max_length=100)]
Name = Annotated[str, Query(max_length=1000)]
SourceId = Annotated[str, Query(max_length=40)]
Tag = Annotated[str, Field(min_length=1, max_length=100)]


class AssetAnswer(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: str
    source_id: str | None
    parent_id: str | None
    qualified_name: str
    name: str
    kind: str
    state: str
    version: int
    sensitivity: str
    compliance: str
    first_seen_at: datetime
    last_seen_at: datetime
    updated_at: datetime


class TaggedAsset(AssetAnswer):
    tags: list[str] = Field(default_factory=list)


class AssetDetail(TaggedAsset):
    content: dict[str, Any] = Field(validation_alias="facts")
    """What the current version holds: columns, kinds, label, compliance state."""
    stats: dict[str, Any]
    """Measured at the last scan: rows, profile."""


class AssetList(BaseModel):
    items: list[TaggedAsset]
    next_cursor: str | None


class SearchAnswer(BaseModel):
    items: list[TaggedAsset]
    next_offset: int | None


class VersionAnswer(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    asset_id: str
    number: int
    state: str
    content: dict[str, Any]
    cause: str
    created_at: datetime


class VersionList(BaseModel):
    items: list[VersionAnswer]
    next_cursor: str | None


class ChangeAnswer(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    pointer: str
    before: Any
    after: Any


class DiffAnswer(BaseModel):
    changes: list[ChangeAnswer]


class TagsBody(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"tags": ["gold", "finance"]}},
    )

    tags: list[Tag] = Field(max_length=50)


class TagsAnswer(BaseModel):
    tags: list[str]


class VocabularyFact(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    name: str
    type: str
    meaning: str
    levels: list[str]
    entered: bool
    max_age_days: int | None


class Vocabulary(BaseModel):
    items: list[VocabularyFact]


class FactsBody(BaseModel):
    """Facts of a source, of its asset, or of a column of that; null says that there is none."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"source_id": "src_01", "asset": "customers", "facts": {"owner": "crm team"}}
        },
    )

    source_id: str = Field(max_length=40)
    asset: str = Field(default="", max_length=1000)
    column: str = Field(default="", max_length=1000)
    facts: dict[str, Any] = Field(min_length=1, max_length=50)
    valid_until: date | None = None
    note: str = Field(default="", max_length=1000)


class FactAnswer(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    name: str
    value: Any
    entered_by: str
    entered_at: datetime
    valid_until: date | None
    note: str


class FactList(BaseModel):
    asset_id: str
    items: list[FactAnswer]


@router.get("/assets", operation_id="list_assets")
def listing(
    session: ReadSession,
    me: Me,
    kind: Named = None,
    source_id: Named = None,
    parent_id: Named = None,
    tag: Named = None,
    compliance: Literal["pass", "fail", "unknown", "waived"] | None = None,
    sensitivity: Literal["public", "internal", "confidential", "restricted"] | None = None,
    state: Literal["active", "gone"] = "active",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> AssetList:
    """List assets, newest first."""
    wanted = Wanted(kind, source_id, parent_id, tag, compliance, sensitivity, state)
    found = catalog.listing(session, me, wanted, limit=limit, cursor=cursor)
    tags = catalog.tags_of(session, found.items)
    return AssetList(
        items=[_tagged(asset, tags) for asset in found.items], next_cursor=found.next_cursor
    )


@router.get("/search", operation_id="search_assets")
def search(
    q: Annotated[str, Query(min_length=1, max_length=200)],
    session: ReadSession,
    me: Me,
    kind: Annotated[tuple[str, ...], Query(max_length=10)] = (),
    limit: Limit = 50,
    offset: Annotated[int, Query(ge=0, le=10_000)] = 0,
) -> SearchAnswer:
    """Find assets by the words of their names and of what is said of them, best first."""
    found = catalog.find(session, me, q, kinds=kind, limit=limit + 1, offset=offset)
    shown = found[:limit]
    tags = catalog.tags_of(session, shown)
    return SearchAnswer(
        items=[_tagged(asset, tags) for asset in shown],
        next_offset=offset + limit if len(found) > limit else None,
    )


@router.get("/assets/{asset_id}", operation_id="get_asset")
def get(asset_id: str, session: ReadSession, me: Me) -> AssetDetail:
    """Return an asset with its current content."""
    found = catalog.get(session, me, asset_id)
    answer = AssetDetail.model_validate(found)
    return answer.model_copy(update={"tags": catalog.tags_of(session, [found]).get(asset_id, [])})


@router.get("/assets/{asset_id}/children", operation_id="list_asset_children")
def children(asset_id: str, session: ReadSession, me: Me) -> AssetList:
    """List what an asset holds, by name: a source's tables, a table's columns."""
    found = catalog.children(session, me, asset_id)
    tags = catalog.tags_of(session, found)
    return AssetList(items=[_tagged(asset, tags) for asset in found], next_cursor=None)


@router.get("/assets/{asset_id}/versions", operation_id="list_asset_versions")
def versions(
    asset_id: str, session: ReadSession, me: Me, limit: Limit = 50, cursor: Cursor = None
) -> VersionList:
    """List an asset's versions, newest first."""
    found = catalog.versions(session, me, asset_id, limit=limit, cursor=cursor)
    items = [VersionAnswer.model_validate(item) for item in found.items]
    return VersionList(items=items, next_cursor=found.next_cursor)


@router.get("/assets/{asset_id}/versions/{number}", operation_id="get_asset_version")
def version(asset_id: str, number: int, session: ReadSession, me: Me) -> VersionAnswer:
    """Return one version of an asset."""
    return VersionAnswer.model_validate(catalog.version(session, me, asset_id, number))


@router.get("/assets/{asset_id}/as-of", operation_id="get_asset_as_of")
def as_of(asset_id: str, at: AwareDatetime, session: ReadSession, me: Me) -> VersionAnswer:
    """Return the version of an asset that held at a moment."""
    return VersionAnswer.model_validate(catalog.as_of(session, me, asset_id, at))


@router.get("/assets/{asset_id}/diff", operation_id="diff_asset_versions")
def diff(asset_id: str, before: int, after: int, session: ReadSession, me: Me) -> DiffAnswer:
    """Tell what changed from one version to another, by JSON pointer."""
    found = catalog.diff(session, me, asset_id, before, after)
    return DiffAnswer(changes=[ChangeAnswer.model_validate(item) for item in found])


@router.put("/assets/{asset_id}/tags", operation_id="set_asset_tags")
def set_tags(asset_id: str, body: TagsBody, session: WriteSession, me: Me) -> TagsAnswer:
    """Give an asset exactly these tags."""
    return TagsAnswer(tags=catalog.set_tags(session, me, asset_id, body.tags))


@router.get("/vocabulary", operation_id="list_fact_vocabulary")
def vocabulary(session: ReadSession, me: Me) -> Vocabulary:
    """List every fact that controls may ask, and which of them people enter."""
    found = catalog.vocabulary(session, me)
    return Vocabulary(items=[VocabularyFact.model_validate(fact) for fact in found])


@router.get("/facts", operation_id="list_facts")
def facts(
    source_id: SourceId, session: ReadSession, me: Me, asset: Name = "", column: Name = ""
) -> FactList:
    """List what people entered about a source, an asset or a column."""
    place = Place(source_id, asset, column)
    return _facts(place, catalog.facts(session, me, place))


@router.put("/facts", operation_id="enter_facts")
def enter_facts(body: FactsBody, session: WriteSession, me: Me) -> FactList:
    """Enter facts, each in place of the last of its name; the place need not be scanned yet."""
    place = Place(body.source_id, body.asset, body.column)
    found = catalog.enter_facts(
        session, me, place, body.facts, valid_until=body.valid_until, note=body.note
    )
    return _facts(place, found)


@router.delete(
    "/facts/{name}", operation_id="withdraw_fact", status_code=status.HTTP_204_NO_CONTENT
)
def withdraw(
    name: str,
    source_id: SourceId,
    session: WriteSession,
    me: Me,
    asset: Name = "",
    column: Name = "",
) -> None:
    """Remove a fact: it is unknown from now on."""
    catalog.withdraw_fact(session, me, Place(source_id, asset, column), name)


def _tagged(asset: catalog.Asset, tags: dict[str, list[str]]) -> TaggedAsset:
    found = AssetAnswer.model_validate(asset)
    return TaggedAsset(**found.model_dump(), tags=tags.get(asset.id, []))


def _facts(place: Place, found: Any) -> FactList:
    return FactList(asset_id=place.id, items=[FactAnswer.model_validate(fact) for fact in found])
