"""Scans: what they took in, what they read, what they could not."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.deps import Me, ReadSession, WriteSession
from api.pages import Cursor, Items, Limit
from services import scans
from services.scans import Scan, ScanAsset

router = APIRouter(prefix="/api/scan-logic/scans", tags=["scan logic"])

AssetState = Literal["pending", "scanned", "failed", "cancelled", "deferred", "excluded"]


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
    layers: list[dict[str, Any]] = Field(
        description="The rule sets that the rules were made of, the most general first."
    )
    totals: dict[str, int]
    spent: dict[str, float] = Field(description="Rows, bytes and seconds of reading so far.")
    control: dict[str, Any] = Field(description="Orders that stand.")
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
    unchanged: bool = Field(description="Not read: its facts are an earlier scan's.")
    plan: dict[str, Any] = Field(description="What the scan does with it, why, in which order.")
    left_out: str | None = Field(description="Why the budget put it off to the next scan.")
    grown: dict[str, Any] | None = Field(description="Why more than the sample was read.")
    irregular: dict[str, int] = Field(description="What was wrong in its rows, and how often.")


class ScannedColumn(BaseModel):
    name: str
    type: str
    primary_key: bool
    references: str | None
    profile: dict[str, Any]
    classifications: list[Any]


class ScannedAssetDetail(ScannedAsset):
    columns: list[ScannedColumn]


class Throttle(BaseModel):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"rows_per_second": 5000}}
    )
    rows_per_second: float | None = Field(default=None, gt=0)
    share: float | None = Field(
        default=None, gt=0, le=1, description="Of the time in which it may read."
    )


class Orders(BaseModel):
    id: str
    state: str
    control: dict[str, Any]


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
        rules=scans.rules_of(scan),
        layers=scan.settings.get("layers", []),
        totals=totals,
        spent=scan.settings.get("spent", {}),
        control=scan.control,
        drift=scan.drift,
    )


@router.get("/{scan_id}/assets", operation_id="list_scan_assets")
def assets(
    scan_id: str,
    me: Me,
    session: ReadSession,
    state: Annotated[AssetState | None, Query()] = None,
    unchanged: bool | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Items[ScannedAsset]:
    """List what the scan's enumeration saw: read, unreadable with its reason, and left out."""
    found = scans.assets(
        session, me, scan_id, state=state, unchanged=unchanged, limit=limit, cursor=cursor
    )
    return Items(items=[_asset(a) for a in found.items], next_cursor=found.next_cursor)


@router.get("/{scan_id}/assets/{asset_id}", operation_id="get_scan_asset")
def asset(scan_id: str, asset_id: str, me: Me, session: ReadSession) -> ScannedAssetDetail:
    """Read one asset with its columns' profiles; no value of the data is kept."""
    found, columns = scans.asset(session, me, scan_id, asset_id)
    shown = [ScannedColumn.model_validate(c, from_attributes=True) for c in columns]
    return ScannedAssetDetail(**_asset(found).model_dump(), columns=shown)


@router.post("/{scan_id}/pause", operation_id="pause_scan")
def pause(scan_id: str, me: Me, session: WriteSession) -> Orders:
    """Read nothing until the scan is resumed; what was read stays."""
    return _orders(scans.pause(session, me, scan_id, paused=True))


@router.post("/{scan_id}/resume", operation_id="resume_scan")
def resume(scan_id: str, me: Me, session: WriteSession) -> Orders:
    """Go on after the last whole chunk."""
    return _orders(scans.pause(session, me, scan_id, paused=False))


@router.post("/{scan_id}/throttle", operation_id="throttle_scan")
def throttle(scan_id: str, body: Throttle, me: Me, session: WriteSession) -> Orders:
    """Slow the running scan down, or with an empty body let it read as its rules say."""
    found = scans.throttle(
        session, me, scan_id, rows_per_second=body.rows_per_second, share=body.share
    )
    return _orders(found)


@router.post("/{scan_id}/assets/{asset_id}/cancel", operation_id="cancel_scan_asset")
def cancel_asset(scan_id: str, asset_id: str, me: Me, session: WriteSession) -> Orders:
    """Break off the reading of one asset; the scan goes on with the others."""
    return _orders(scans.skip(session, me, scan_id, asset_id))


def _orders(scan: Scan) -> Orders:
    return Orders(id=scan.id, state=scan.state, control=scan.control)


def _scan(scan: Scan) -> ScanAnswer:
    return ScanAnswer.model_validate(scan, from_attributes=True)


def _asset(asset: ScanAsset) -> ScannedAsset:
    fields = ("id", "name", "kind", "state", "error", "rows", "rows_read", "unchanged",
              "plan")  # fmt: skip
    return ScannedAsset.model_validate(
        {
            **{name: getattr(asset, name) for name in fields},
            "rule": asset.facts.get("rule", ""),
            "limits": asset.facts.get("limits", []),
            "left_out": asset.facts.get("left_out"),
            "grown": asset.facts.get("grown"),
            "irregular": asset.facts.get("irregular", {}),
        }
    )
