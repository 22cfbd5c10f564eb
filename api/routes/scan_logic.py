"""Scans: what they took in, what they read, what they could not."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, Field

from api.deps import Me, ReadSession
from api.pages import Cursor, Items, Limit
from services import scans
from services.scans import Scan, ScanAsset

router = APIRouter(prefix="/api/scan-logic/scans", tags=["scan logic"])

AssetState = Literal["pending", "scanned", "failed", "excluded"]


class ScanAnswer(BaseModel):
    id: str
    source_id: str
    run_id: str | None
    state: str
    clean: bool = Field(description="The enumeration ended without error: absence has a meaning.")
    rule_set_id: str | None
    rule_set_version: int | None
    errors: list[str]
    created_at: AwareDatetime
    ended_at: AwareDatetime | None


class ScanDetail(ScanAnswer):
    rules: dict[str, Any]
    totals: dict[str, int]
    drift: dict[str, Any]


class ScannedAsset(BaseModel):
    id: str
    name: str
    kind: str
    state: AssetState
    error: str | None
    rows: int | None
    rows_read: int | None
    rule: str = Field(description="Why the rules took it in or left it out.")
    limits: list[str] = Field(description="Ceilings of the budget that ended the read.")


class ScannedColumn(BaseModel):
    name: str
    type: str
    primary_key: bool
    references: str | None
    profile: dict[str, Any]
    classifications: list[Any]


class ScannedAssetDetail(ScannedAsset):
    columns: list[ScannedColumn]


@router.get("", operation_id="list_scans")
def list_scans(
    me: Me,
    session: ReadSession,
    source_id: Annotated[str | None, Query(max_length=40)] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Items[ScanAnswer]:
    """List scans, newest first."""
    found = scans.listed(session, me, source_id=source_id, limit=limit, cursor=cursor)
    return Items(items=[_scan(s) for s in found.items], next_cursor=found.next_cursor)


@router.get("/{scan_id}", operation_id="get_scan")
def get(scan_id: str, me: Me, session: ReadSession) -> ScanDetail:
    """Read one scan with its rules, totals and drift."""
    scan, totals = scans.get(session, me, scan_id)
    return ScanDetail(
        **_scan(scan).model_dump(),
        rules=scan.settings.get("rules", {}),
        totals=totals,
        drift=scan.drift,
    )


@router.get("/{scan_id}/assets", operation_id="list_scan_assets")
def assets(
    scan_id: str,
    me: Me,
    session: ReadSession,
    state: Annotated[AssetState | None, Query()] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Items[ScannedAsset]:
    """List what the scan's enumeration saw: read, unreadable with its reason, and left out."""
    found = scans.assets(session, me, scan_id, state=state, limit=limit, cursor=cursor)
    return Items(items=[_asset(a) for a in found.items], next_cursor=found.next_cursor)


@router.get("/{scan_id}/assets/{asset_id}", operation_id="get_scan_asset")
def asset(scan_id: str, asset_id: str, me: Me, session: ReadSession) -> ScannedAssetDetail:
    """Read one asset with its columns' profiles; no value of the data is kept."""
    found, columns = scans.asset(session, me, scan_id, asset_id)
    shown = [ScannedColumn.model_validate(c, from_attributes=True) for c in columns]
    return ScannedAssetDetail(**_asset(found).model_dump(), columns=shown)


def _scan(scan: Scan) -> ScanAnswer:
    return ScanAnswer.model_validate(scan, from_attributes=True)


def _asset(asset: ScanAsset) -> ScannedAsset:
    fields = ("id", "name", "kind", "state", "error", "rows", "rows_read")
    return ScannedAsset.model_validate(
        {
            **{name: getattr(asset, name) for name in fields},
            "rule": asset.facts.get("rule", ""),
            "limits": asset.facts.get("limits", []),
        }
    )
