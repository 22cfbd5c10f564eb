"""Queries over scans and what they found."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, delete, func, insert, select
from sqlalchemy.orm import Session, defer, load_only

from models.stores.paging import Page, page
from models.tables.base import now
from models.tables.scans import AssetState, Scan, ScanAsset, ScanColumn
from models.tables.sources import Source
from racine.errors import Conflict, NotFound
from racine.ids import new_id

__all__ = ["Scan", "ScanAsset", "ScanColumn"]

CARRIED = ("type", "profile", "evidence", "classifications")
"""What a column that is not read again keeps of an earlier scan."""

_ROWS = 1000
"""Rows of one INSERT."""

_IDS = 5000
"""Ids of one query."""


def create(
    session: Session, workspace_id: str, source_id: str, run_id: str | None, task_key: str = ""
) -> Scan:
    """Open a scan, or open anew, without what it held, the one that the same task opened before."""
    scan = session.scalar(select(Scan).where(Scan.run_id == run_id, Scan.task_key == task_key))
    if scan is None or run_id is None:
        scan = Scan(
            id=new_id("scan"), workspace_id=workspace_id, source_id=source_id, run_id=run_id,
            task_key=task_key, state="open", clean=False, settings={}, errors=[], drift={},
        )  # fmt: skip
        session.add(scan)
    else:
        session.execute(delete(ScanAsset).where(ScanAsset.scan_id == scan.id))
        scan.state, scan.clean, scan.holder, scan.ended_at = "open", False, "", None
        scan.control = {}
    session.flush()
    return scan


def get(session: Session, scan_id: str, *, workspace_id: str | None = None) -> Scan:
    """Return a scan; raise NotFound when there is none, or none in the workspace."""
    scan = session.get(Scan, scan_id)
    if scan is None or workspace_id not in (None, scan.workspace_id):
        raise NotFound(f"There is no scan {scan_id!r}.", next_step="GET /api/scan-logic/scans.")
    return scan


def listing(
    session: Session, seen: ColumnElement[bool], *, source_id: str | None = None, limit: int = 50,
    cursor: str | None = None,
) -> Page[Scan]:  # fmt: skip
    """Return the scans that a condition lets through, newest first."""
    query = select(Scan).where(seen)
    if source_id:
        query = query.where(Scan.source_id == source_id)
    return page(session, query, Scan, limit=limit, cursor=cursor)


def asset_listing(
    session: Session, scan_id: str, *, state: str | None = None, unchanged: bool | None = None,
    limit: int = 50, cursor: str | None = None,
) -> Page[ScanAsset]:  # fmt: skip
    query = select(ScanAsset).where(ScanAsset.scan_id == scan_id)
    if state:
        query = query.where(ScanAsset.state == state)
    if unchanged is not None:
        query = query.where(ScanAsset.unchanged.is_(unchanged))
    return page(session, query, ScanAsset, limit=limit, cursor=cursor)


def add_assets(
    session: Session, scan_id: str, found: Iterable[tuple[dict[str, Any], list[dict[str, Any]]]]
) -> None:
    """Store assets, each with its columns in order, in few statements however many there are."""
    assets: list[dict[str, Any]] = []
    columns: list[dict[str, Any]] = []
    for asset, of_asset in found:
        asset_id, made = new_id("sa"), now()
        assets.append({"id": asset_id, "created_at": made, "scan_id": scan_id, **asset})
        columns += [
            {"id": new_id("sc"), "created_at": made, "asset_id": asset_id, "position": n, **column}
            for n, column in enumerate(of_asset)
        ]
    for start in range(0, len(assets), _ROWS):
        session.execute(insert(ScanAsset), assets[start : start + _ROWS])
    for start in range(0, len(columns), _ROWS):
        session.execute(insert(ScanColumn), columns[start : start + _ROWS])


def assets(session: Session, scan_id: str) -> list[ScanAsset]:
    """Return the assets that the scan takes in, by name: also those that could not be read."""
    found = select(ScanAsset).where(ScanAsset.scan_id == scan_id, ScanAsset.state != "excluded")
    return list(session.scalars(found.order_by(ScanAsset.name)))


def pending(session: Session, scan_id: str) -> list[ScanAsset]:
    """Return the assets that are still to be read, in the order of their plans."""
    found = select(ScanAsset).where(ScanAsset.scan_id == scan_id, ScanAsset.state == "pending")
    return sorted(session.scalars(found), key=lambda a: (-a.plan.get("score", 0.0), a.name))


def listed_names(session: Session, scan_id: str) -> list[str]:
    """Return every name that the enumeration saw, excluded ones too: what is not here is absent."""
    return list(session.scalars(select(ScanAsset.name).where(ScanAsset.scan_id == scan_id)))


def last_listing(session: Session, source_id: str) -> tuple[Scan, list[tuple[str, int | None]]]:
    """Return the newest scan or plan of a source, with each name it saw and its rows.

    Raises NotFound when the source was never listed.
    """
    newest = select(Scan).where(Scan.source_id == source_id, Scan.state != "listing")
    scan = session.scalar(newest.order_by(Scan.created_at.desc(), Scan.id.desc()).limit(1))
    if scan is None:
        raise NotFound(
            "The source was never listed.", next_step="POST /api/data-sources/{id}/plan lists it."
        )
    names = select(ScanAsset.name, ScanAsset.rows).where(ScanAsset.scan_id == scan.id)
    found = session.execute(names.order_by(ScanAsset.name))
    return scan, [(name, rows) for name, rows in found]


def get_asset(session: Session, scan_id: str, asset_id: str) -> ScanAsset:
    asset = session.get(ScanAsset, asset_id)
    if asset is None or asset.scan_id != scan_id:
        raise NotFound(f"The scan has no asset {asset_id!r}.")
    return asset


def columns(session: Session, asset_id: str) -> list[ScanColumn]:
    found = select(ScanColumn).where(ScanColumn.asset_id == asset_id).order_by(ScanColumn.position)
    return list(session.scalars(found))


def assets_of(session: Session, ids: Sequence[str]) -> Sequence[tuple[ScanAsset, list[ScanColumn]]]:
    """Return some assets with their columns in order, in two queries."""
    found = {a.id: a for a in session.scalars(select(ScanAsset).where(ScanAsset.id.in_(ids)))}
    by_asset: dict[str, list[ScanColumn]] = {asset_id: [] for asset_id in ids}
    columns = select(ScanColumn).where(ScanColumn.asset_id.in_(ids))
    for column in session.scalars(columns.order_by(ScanColumn.asset_id, ScanColumn.position)):
        by_asset[column.asset_id].append(column)
    return [(found[asset_id], by_asset[asset_id]) for asset_id in ids if asset_id in found]


def columns_of(session: Session, scan_id: str) -> dict[str, list[ScanColumn]]:
    """Return the columns of all of a scan's assets in one query, by asset id.

    Their evidence is left where it is: most of their weight, and for the classifiers alone.
    """
    found = (
        select(ScanColumn)
        .options(defer(ScanColumn.evidence, raiseload=True))
        .join(ScanAsset, ScanAsset.id == ScanColumn.asset_id)
        .where(ScanAsset.scan_id == scan_id)
        .order_by(ScanColumn.asset_id, ScanColumn.position)
    )
    by_asset: dict[str, list[ScanColumn]] = {}
    for column in session.scalars(found):
        by_asset.setdefault(column.asset_id, []).append(column)
    return by_asset


def read_names(session: Session, source_id: str) -> list[str]:
    """Return the names of a source's assets whose values some scan has read."""
    query = (
        select(ScanAsset.name)
        .join(Scan, Scan.id == ScanAsset.scan_id)
        .where(Scan.source_id == source_id, ScanAsset.rows_read.is_not(None))
        .distinct()
    )
    return list(session.scalars(query))


def last_read(session: Session, source_id: str, name: str) -> tuple[Scan, list[ScanColumn]]:
    """Return the newest scan that read an asset of that name, and its columns.

    Raises NotFound when none did.
    """
    query = (
        select(Scan, ScanAsset.id)
        .join(ScanAsset, ScanAsset.scan_id == Scan.id)
        .where(Scan.source_id == source_id, ScanAsset.name == name)
        .where(ScanAsset.rows_read.is_not(None))
        .order_by(Scan.created_at.desc(), Scan.id.desc())
        .limit(1)
    )
    found = session.execute(query).first()
    if found is None:
        raise NotFound(f"No scan has read {name!r}.", next_step="Scan the source first.")
    scan, asset_id = found
    return scan, columns(session, asset_id)


class FoundColumn(NamedTuple):
    """What drift asks of a column."""

    name: str
    type: str
    classifications: list[Any]


def found_of(session: Session, asset_ids: Sequence[str]) -> dict[str, list[FoundColumn]]:
    """Return what was found in the columns of some assets, in their order, by asset id."""
    by_asset: dict[str, list[FoundColumn]] = {}
    wanted = select(
        ScanColumn.asset_id, ScanColumn.name, ScanColumn.type, ScanColumn.classifications
    ).order_by(ScanColumn.asset_id, ScanColumn.position)
    for start in range(0, len(asset_ids), _IDS):
        query = wanted.where(ScanColumn.asset_id.in_(asset_ids[start : start + _IDS]))
        for asset_id, *column in session.execute(query):
            by_asset.setdefault(asset_id, []).append(FoundColumn(*column))
    return by_asset


def last_listed(session: Session, source_id: str) -> list[tuple[ScanAsset, list[str]]]:
    """Return the assets of a source as the last scan of each had them, with their columns' names.

    Of an asset only what its listing said is loaded.
    """
    of_source = AssetState.asset_id == ScanAsset.id, AssetState.source_id == source_id
    wanted = (ScanAsset.name, ScanAsset.fingerprint, ScanAsset.facts)
    assets = select(ScanAsset).join(AssetState, and_(*of_source)).options(load_only(*wanted))
    named = (
        select(ScanColumn.asset_id, ScanColumn.name)
        .join(AssetState, AssetState.asset_id == ScanColumn.asset_id)
        .where(AssetState.source_id == source_id)
        .order_by(ScanColumn.asset_id, ScanColumn.position)
    )
    columns: dict[str, list[str]] = {}
    for asset_id, name in session.execute(named):
        columns.setdefault(asset_id, []).append(name)
    return [(asset, columns.get(asset.id, [])) for asset in session.scalars(assets)]


def facts_of(
    session: Session, asset_ids: Sequence[str]
) -> dict[str, tuple[dict[str, Any], list[ScanColumn]]]:
    """Return what scans kept of assets they read, by id: facts, counts of rows, and columns."""
    found: dict[str, tuple[dict[str, Any], list[ScanColumn]]] = {}
    read = select(ScanAsset).where(ScanAsset.id.in_(asset_ids), ScanAsset.state == "scanned")
    for asset in session.scalars(read):
        kept = {"facts": asset.facts, "rows": asset.rows, "rows_read": asset.rows_read}
        found[asset.id] = (kept, [])
    held = select(ScanColumn).where(ScanColumn.asset_id.in_(list(found)))
    for column in session.scalars(held.order_by(ScanColumn.asset_id, ScanColumn.position)):
        found[column.asset_id][1].append(column)
    return found


def take(session: Session, scan_id: str, holder: str) -> Scan:
    """Make an attempt the one that may write; the one before it is refused from now on.

    A scan that was read to its end stays as it is; one that failed or was cancelled goes on.
    """
    scan = get(session, scan_id)
    if scan.state == "cancelled":
        _ask_again(session, scan)
    if scan.state in ("open", "scanning", "failed", "cancelled"):
        scan.holder, scan.state, scan.ended_at = holder, "scanning", None
    return scan


_CANCELLED = "The scan was cancelled."


def cancel_pending(session: Session, scan_id: str) -> None:
    """Note on each asset that is still to be read that its scan was cancelled."""
    for asset in pending(session, scan_id):
        asset.state, asset.error = "cancelled", _CANCELLED


def _ask_again(session: Session, scan: Scan) -> None:
    """Let a cancelled scan's assets be read after all, but for those cancelled one by one."""
    found = select(ScanAsset).where(ScanAsset.scan_id == scan.id, ScanAsset.state == "cancelled")
    for asset in session.scalars(found):
        if asset.id not in scan.control.get("skipped", ()):
            asset.state, asset.error = "pending", None


def keep_facts(
    session: Session,
    asset_id: str,
    holder: str,
    *,
    rows: int | None,
    rows_read: int,
    told: Mapping[str, Any],
    found: Sequence[Mapping[str, Any]],
) -> None:
    """Store what was learned of an asset and of its columns, in order; again replaces it.

    `told` is added to the asset's facts: ceilings met, what was wrong in the rows.
    Raises Conflict when another attempt has taken the scan over since.
    """
    asset = fence_asset(session, asset_id, holder)
    asset.state, asset.error, asset.rows, asset.rows_read = "scanned", None, rows, rows_read
    asset.facts = {**asset.facts, **told}
    for column, facts in zip(columns(session, asset_id), found, strict=True):
        for name, value in facts.items():
            setattr(column, name, value)


def keep_error(session: Session, asset_id: str, holder: str, error: str) -> None:
    """Store why an asset could not be read; raise Conflict when the attempt is not the newest."""
    asset = fence_asset(session, asset_id, holder)
    asset.state, asset.error = "failed", error[:2000]


def keep_cancelled(session: Session, asset_id: str, holder: str, why: str) -> None:
    """Store that an asset is not read because somebody said so; raise Conflict as above."""
    asset = fence_asset(session, asset_id, holder)
    asset.state, asset.error = "cancelled", why[:2000]


def control(session: Session, scan_id: str) -> dict[str, Any]:
    """Return the orders that were given to a scan."""
    found = session.scalar(select(Scan.control).where(Scan.id == scan_id))
    return found or {}


def order(session: Session, scan_id: str, **orders: Any) -> dict[str, Any]:
    """Give orders to a scan beside those it has; None takes one back. Returns those that stand."""
    scan = session.get_one(Scan, scan_id, with_for_update=True, populate_existing=True)
    given = {**scan.control, **orders}
    scan.control = {name: value for name, value in given.items() if value is not None}
    return scan.control


def connect(session: Session, scan: Scan, most: int | None, alive_seconds: float) -> bool:
    """Take one of the connections that scans may hold to a source at once, if one is free.

    A scan whose attempt died without letting go holds its own for `alive_seconds` more.
    """
    if most is not None:
        # Two that ask at once must not both see the last one free.
        source = select(Source.id).where(Source.id == scan.source_id)
        session.execute(source.with_for_update(key_share=True))
        if _connected(session, scan, alive_seconds) >= most:
            return False
    beat(session, scan.id)
    return True


def _connected(session: Session, scan: Scan, alive_seconds: float) -> int:
    """Return how many other scans hold a connection to the same source."""
    since = datetime.now(UTC) - timedelta(seconds=alive_seconds)
    found = select(func.count()).where(
        Scan.source_id == scan.source_id,
        Scan.id != scan.id,
        Scan.state == "scanning",
        Scan.beat_at > since,
    )
    return session.scalar(found) or 0


def beat(session: Session, scan_id: str) -> None:
    """Note that the attempt which holds a connection is alive."""
    get(session, scan_id).beat_at = datetime.now(UTC)


def disconnect(session: Session, scan_id: str, holder: str) -> None:
    """Let go of a scan's connection, unless a newer attempt has it."""
    scan = get(session, scan_id)
    if scan.holder == holder:
        scan.beat_at = None


def keep_spent(session: Session, scan_id: str, spent: Mapping[str, Any]) -> None:
    """Note what the reading has cost so far: an attempt after a crash counts on."""
    scan = get(session, scan_id)
    scan.settings = {**scan.settings, "spent": dict(spent)}


def leave_out(session: Session, scan_id: str, why: str) -> list[str]:
    """Put off what is still to be read, and return its names."""
    left = pending(session, scan_id)
    for asset in left:
        asset.state = "deferred"
        asset.facts = {**asset.facts, "left_out": why}
    return [asset.name for asset in left]


def carry_left_out(session: Session, scan_id: str) -> None:
    """Let assets that were put off keep the facts that an earlier scan found, where there are."""
    for asset, before, known in _found_before(session, scan_id, "deferred"):
        asset.state, asset.unchanged = "scanned", True
        asset.rows, asset.rows_read = before["rows"], before["rows_read"]
        _carry(session, asset, known)


def carry_unread(session: Session, scan_id: str) -> None:
    """Let the columns of assets that could not be read keep what an earlier scan found of them."""
    for asset, _, known in _found_before(session, scan_id, "failed", "cancelled"):
        _carry(session, asset, known)


def _found_before(
    session: Session, scan_id: str, *states: str
) -> Iterator[tuple[ScanAsset, Mapping[str, Any], Sequence[ScanColumn]]]:
    """Yield assets of some states, each with its facts and columns of the scan that read it."""
    scan = get(session, scan_id)
    wanted = select(ScanAsset).where(ScanAsset.scan_id == scan_id, ScanAsset.state.in_(states))
    by_name = {asset.name: asset for asset in session.scalars(wanted)}
    kept = session.execute(
        select(AssetState.name, AssetState.asset_id).where(AssetState.source_id == scan.source_id)
    )
    held = {name: found for name, found in kept if name in by_name and found}
    facts = facts_of(session, list(held.values()))
    for name, found in held.items():
        if found in facts:
            yield by_name[name], *facts[found]


def _carry(session: Session, asset: ScanAsset, known: Sequence[ScanColumn]) -> None:
    by_name = {column.name: column for column in known}
    for column in columns(session, asset.id):
        if (old := by_name.get(column.name)) is not None:
            for fact in CARRIED:
                setattr(column, fact, getattr(old, fact))


def close(session: Session, scan_id: str, state: str) -> None:
    scan = get(session, scan_id)
    scan.state, scan.ended_at = state, datetime.now(UTC)


def totals(session: Session, scan_id: str) -> dict[str, int]:
    """Return the assets by state, those not read because they are unchanged, columns, rows read."""
    states = session.execute(
        select(ScanAsset.state, func.count(), func.sum(ScanAsset.rows_read))
        .where(ScanAsset.scan_id == scan_id)
        .group_by(ScanAsset.state)
    ).all()
    of_scan = (
        select(func.count())
        .select_from(ScanColumn)
        .join(ScanAsset, ScanAsset.id == ScanColumn.asset_id)
        .where(ScanAsset.scan_id == scan_id, ScanAsset.state == "scanned")
    )
    counts = dict.fromkeys(
        ("scanned", "failed", "excluded", "pending", "deferred", "cancelled", "unchanged"), 0
    )
    counts |= {state: count for state, count, _ in states}
    same = select(func.count(), func.sum(ScanAsset.rows_read)).where(
        ScanAsset.scan_id == scan_id, ScanAsset.unchanged
    )
    counts["unchanged"], not_read = session.execute(same).one()
    rows = sum(read or 0 for _, _, read in states) - (not_read or 0)
    return {**counts, "columns": session.scalar(of_scan) or 0, "rows": int(rows)}


def newest(session: Session, source_id: str) -> Scan | None:
    """Return the last scan of a source that ended well."""
    ended = Scan.state.in_(("scanned", "published"))
    found = select(Scan).where(Scan.source_id == source_id, ended)
    return session.scalar(found.order_by(Scan.created_at.desc(), Scan.id.desc()).limit(1))


def previous(session: Session, scan: Scan) -> Scan | None:
    """Return the last scan of the same source that ended well before this one."""
    found = (
        select(Scan)
        .where(
            Scan.source_id == scan.source_id,
            Scan.id != scan.id,
            Scan.created_at <= scan.created_at,
            Scan.state.in_(("scanned", "published")),
        )
        .order_by(Scan.created_at.desc())
        .limit(1)
    )
    return session.scalar(found)


def fence_asset(session: Session, asset_id: str, holder: str) -> ScanAsset:
    """Return an asset that the attempt may write; raise Conflict when it is not the newest."""
    asset = session.get_one(ScanAsset, asset_id)
    _fence(session, asset.scan_id, holder)
    return asset


def _fence(session: Session, scan_id: str, holder: str) -> None:
    # The lock makes a take-over wait for this write, or this write see the take-over.
    scan = session.get_one(Scan, scan_id, with_for_update={"read": True}, populate_existing=True)
    if scan.holder != holder:
        raise Conflict(f"Another attempt has taken over the scan {scan_id}.")
