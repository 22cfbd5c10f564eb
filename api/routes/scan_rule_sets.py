"""Scan rule sets: versions, differences, and why an asset is in or out."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response, status
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.deps import Me, ReadSession, WriteSession
from api.pages import Cursor, Items, Limit
from racine.governance.scan_rule_sets.rules import SYSTEM, Rules
from services import rule_sets
from services.rule_sets import RuleSet, RuleSetVersion

router = APIRouter(prefix="/api/scan-rule-sets", tags=["scan rule sets"])

_EXAMPLE: dict[str, Any] = {"include": ["public.*"], "exclude": ["*_backup"], "sample": 1000}


class RuleSetRequest(BaseModel):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"name": "shop", "rules": _EXAMPLE}}
    )
    name: str = Field(min_length=1, max_length=100)
    rules: dict[str, Any]


class VersionRequest(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"rules": _EXAMPLE}})
    rules: dict[str, Any]


class RuleSetAnswer(BaseModel):
    id: str
    name: str
    version: int
    created_at: AwareDatetime


class RuleSetDetail(RuleSetAnswer):
    rules: Rules


class VersionAnswer(BaseModel):
    number: int
    rules: Rules
    created_by: str
    created_at: AwareDatetime


class Change(BaseModel):
    field: str
    before: Any
    after: Any


class ExplainRequest(BaseModel):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"assets": ["public.customers"]}}
    )
    assets: list[str] = Field(min_length=1, max_length=1000)
    version: int | None = Field(default=None, ge=1)


class Explained(BaseModel):
    asset: str
    included: bool
    pattern: str | None = Field(description="The pattern that decided.")
    list: str
    reason: str


_MOST = 1000
"""Differences shown."""


class DryRunRequest(BaseModel):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"source_id": "src_01"}}
    )
    source_id: str = Field(max_length=40)
    version: int | None = Field(default=None, ge=1, description="The newest when left out.")
    against: int | None = Field(default=None, ge=1, description="A version to compare with.")


class Difference(BaseModel):
    asset: str
    included: bool
    reason: str


class DryRunAnswer(BaseModel):
    scan_id: str = Field(description="The scan or plan whose listing it was judged over.")
    included: int
    excluded: int
    rows: int | None = Field(description="That would be read; null where the source cannot tell.")
    changes: list[Difference] = Field(description="Assets the other version treats differently.")
    more: int = Field(description="Differences that are not shown.")


@router.post("", operation_id="create_rule_set", status_code=status.HTTP_201_CREATED)
def create(
    body: RuleSetRequest, me: Me, session: WriteSession, response: Response
) -> RuleSetAnswer:
    """Store a new rule set as its version 1."""
    rule_set = rule_sets.create(session, me, body.name, body.rules)
    response.headers["Location"] = f"{router.prefix}/{rule_set.id}"
    return _answer(rule_set)


@router.get("", operation_id="list_rule_sets")
def list_rule_sets(
    me: Me, session: ReadSession, limit: Limit = 50, cursor: Cursor = None
) -> Items[RuleSetAnswer]:
    """List the workspace's rule sets, newest first."""
    found = rule_sets.listed(session, me, limit=limit, cursor=cursor)
    return Items(items=[_answer(r) for r in found.items], next_cursor=found.next_cursor)


@router.get("/system", operation_id="get_system_rules")
def system(me: Me, session: ReadSession) -> Rules:
    """Read the rules that hold where none are named."""
    rule_sets.listed(session, me, limit=1, cursor=None)
    return SYSTEM


@router.get("/{rule_set_id}", operation_id="get_rule_set")
def get(rule_set_id: str, me: Me, session: ReadSession) -> RuleSetDetail:
    """Read a rule set with its newest rules."""
    rule_set, rules = rule_sets.get(session, me, rule_set_id)
    return RuleSetDetail(**_answer(rule_set).model_dump(), rules=rules)


@router.delete(
    "/{rule_set_id}", operation_id="delete_rule_set", status_code=status.HTTP_204_NO_CONTENT
)
def delete(rule_set_id: str, me: Me, session: WriteSession) -> None:
    """Delete a rule set; scans that obeyed it keep their rules."""
    rule_sets.delete(session, me, rule_set_id)


@router.post(
    "/{rule_set_id}/versions",
    operation_id="create_rule_set_version",
    status_code=status.HTTP_201_CREATED,
)
def add_version(
    rule_set_id: str, body: VersionRequest, me: Me, session: WriteSession
) -> RuleSetAnswer:
    """Store rules as the next version; the same rules again change nothing."""
    return _answer(rule_sets.add_version(session, me, rule_set_id, body.rules))


@router.get("/{rule_set_id}/versions", operation_id="list_rule_set_versions")
def versions(
    rule_set_id: str, me: Me, session: ReadSession, limit: Limit = 50, cursor: Cursor = None
) -> Items[VersionAnswer]:
    """List a rule set's versions, newest first."""
    found = rule_sets.versions(session, me, rule_set_id, limit=limit, cursor=cursor)
    return Items(items=[_version(v) for v in found.items], next_cursor=found.next_cursor)


@router.get("/{rule_set_id}/versions/{number}", operation_id="get_rule_set_version")
def version(rule_set_id: str, number: int, me: Me, session: ReadSession) -> VersionAnswer:
    """Read one version."""
    return _version(rule_sets.version(session, me, rule_set_id, number))


@router.get("/{rule_set_id}/diff", operation_id="diff_rule_set_versions")
def diff(
    rule_set_id: str,
    me: Me,
    session: ReadSession,
    before: Annotated[int, Query(ge=1)],
    after: Annotated[int, Query(ge=1)],
) -> list[Change]:
    """Tell what changed between two versions, field by field."""
    found = rule_sets.diff(session, me, rule_set_id, before, after)
    return [Change.model_validate(change) for change in found]


@router.post("/{rule_set_id}/explain", operation_id="explain_rule_set")
def explain(
    rule_set_id: str, body: ExplainRequest, me: Me, session: ReadSession
) -> list[Explained]:
    """Tell for each asset whether it is in or out, and which pattern decided; nothing is stored."""
    found = rule_sets.explain(session, me, rule_set_id, body.assets, body.version)
    return [
        Explained(asset=name, included=why.included, pattern=why.pattern, list=why.list,
                  reason=why.reason)
        for name, why in zip(body.assets, found, strict=True)
    ]  # fmt: skip


@router.post("/{rule_set_id}/dry-run", operation_id="dry_run_rule_set")
def dry_run(rule_set_id: str, body: DryRunRequest, me: Me, session: ReadSession) -> DryRunAnswer:
    """Tell what a scan by the rules would take in of a source's last listing; nothing is read."""
    found = rule_sets.dry_run(session, me, rule_set_id, body.source_id, body.version, body.against)
    changes = [Difference(asset=n, included=i, reason=why) for n, i, why in found.changes]
    return DryRunAnswer(
        scan_id=found.scan_id, included=found.included, excluded=found.excluded, rows=found.rows,
        changes=changes[:_MOST], more=max(len(changes) - _MOST, 0),
    )  # fmt: skip


def _answer(rule_set: RuleSet) -> RuleSetAnswer:
    return RuleSetAnswer.model_validate(rule_set, from_attributes=True)


def _version(found: RuleSetVersion) -> VersionAnswer:
    return VersionAnswer(
        number=found.number, rules=Rules.model_validate(found.content),
        created_by=found.created_by, created_at=found.created_at,
    )  # fmt: skip
