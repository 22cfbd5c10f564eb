"""Performs the operations of the catalog group."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy.orm import Session

from activities import governed
from activities.call import Call, Performers
from activities.governed import Governed
from models.stores import asset_facts, catalog, compliance, scans
from racine.governance import catalog as group
from racine.governance.catalog import absence, quality
from racine.governance.catalog.identity import asset_id, qualified_name
from racine.governance.compliance.categories import highest
from racine.governance.compliance.facts import Stated
from racine.governance.data_sources.states import SourceState

_AT_ONCE = 1000
"""Assets and columns of one transaction: other writers wait no longer."""

_LOWEST = 10


def publish(call: Call, given: group.PublishInput) -> group.PublishResult:
    """Publish a scan, some assets a transaction; doing it again, after a crash too, ends alike."""
    with call.db.read() as session:
        found = governed.load(session, call, given.scan_id)
        items = list(_Publication(session, found).items())
    cause = catalog.Cause(
        found.scan.workspace_id, found.source.id, by=found.scan.id, scan_id=found.scan.id
    )
    outcomes = Counter[str]()
    for start in range(0, len(items), _AT_ONCE):
        with call.db.write() as session:
            outcomes += catalog.put(session, cause, items[start : start + _AT_ONCE])
        call.heartbeat()
    with call.db.write() as session:
        gone, held = _retire(session, found, cause, given.approve_deletions)
        scans.close(session, found.scan.id, "published")
        governed.advance(session, found.source.id, SourceState.CATALOGED)
    return group.PublishResult(
        created=outcomes["created"],
        updated=outcomes["updated"],
        unchanged=outcomes["unchanged"],
        restored=outcomes["restored"],
        gone=gone,
        held=held,
        assets=len(items),
    )


class _Publication:
    """Makes a scan's assets what the catalog takes, each with its label and compliance state."""

    def __init__(self, session: Session, found: Governed) -> None:
        self._found = found
        self._standing = compliance.standing(session, found.source.id)
        self._stated = asset_facts.of_source(session, found.source.id)

    def items(self) -> Iterator[catalog.Published]:
        """Yield the source, then each asset followed by its columns."""
        tables = [part for asset in self._found.assets for part in self._table(asset)]
        own = [item for item in tables if item.kind != "column"]
        source = self._found.source
        root = asset_id(source.id)
        state = _worst([self._state(root), *(item.compliance for item in own)])
        label = self._label(root, highest(item.sensitivity for item in own))
        yield catalog.Published(
            id=root, parent_id=None, table_id=root, qualified_name=qualified_name(source.name),
            name=source.name, kind="source", compliance=state, sensitivity=label,
            content={"kind": source.kind, "compliance": state, "sensitivity": label},
            stats={"assets": len(own)}, words=self._words(root),
        )  # fmt: skip
        yield from tables

    def _table(self, asset: scans.ScanAsset) -> Iterator[catalog.Published]:
        source, table = self._found.source, asset_id(self._found.source.id, asset.name)
        columns = [
            self._column(asset, table, column) for column in self._found.columns.get(asset.id, ())
        ]
        state = _worst([self._state(table), *(item.compliance for item in columns)])
        label = self._label(table, highest(item.sensitivity for item in columns))
        content = {
            "kind": asset.kind,
            "columns": {item.name: _summary(item) for item in columns},
            "sensitivity": label,
            "compliance": state,
        }
        if asset.error:
            content["error"] = asset.error
        yield catalog.Published(
            id=table, parent_id=asset_id(source.id), table_id=table,
            qualified_name=qualified_name(source.name, asset.name), name=asset.name,
            kind=asset.kind, content=content, compliance=state, sensitivity=label,
            stats={"rows": asset.rows, "rows_read": asset.rows_read}, words=self._words(table),
        )  # fmt: skip
        yield from columns

    def _column(
        self, asset: scans.ScanAsset, table: str, column: scans.ScanColumn
    ) -> catalog.Published:
        source = self._found.source
        column_id = asset_id(source.id, asset.name, column.name)
        found = governed.in_force(self._found, column_id, column)
        kinds = sorted({item["kind"] for item in found})
        state, label = self._state(column_id), self._label(column_id, governed.label(found))
        return catalog.Published(
            id=column_id, parent_id=table, table_id=table,
            qualified_name=qualified_name(source.name, asset.name, column.name),
            name=column.name, kind="column", compliance=state, sensitivity=label,
            content={"type": column.type, "position": column.position, "kinds": kinds,
                     "sensitivity": label, "compliance": state},
            stats={"profile": column.profile},
            words=" ".join((*kinds, self._words(column_id))),
        )  # fmt: skip

    def _label(self, subject: str, content: str) -> str:
        stated = self._statement(subject, "label")
        return stated if isinstance(stated, str) else content

    def _state(self, subject: str) -> str:
        standing = self._standing.get(subject, set())
        return _worst(["waived" if state == "waived" else result for result, state in standing])

    def _words(self, subject: str) -> str:
        texts = (self._statement(subject, name) for name in ("owner", "purpose"))
        return " ".join(text for text in texts if isinstance(text, str))

    def _statement(self, subject: str, name: str) -> Any:
        stated: Mapping[str, Stated] = self._stated.get(subject, {})
        return stated[name].value if name in stated else None


def _worst(states: list[str]) -> str:
    """Return the compliance state that a whole has from its parts; nothing standing is a pass."""
    return next((s for s in ("fail", "unknown", "waived") if s in states), "pass")


def _summary(column: catalog.Published) -> dict[str, Any]:
    return {name: column.content[name] for name in ("type", "kinds", "sensitivity")}


def _retire(
    session: Session, found: Governed, cause: catalog.Cause, approved: bool
) -> tuple[int, int]:
    """Take for gone what two clean listings lacked; return how many assets went and were held."""
    source_id, clean = found.source.id, found.scan.clean
    listed = {asset_id(source_id, name) for name in scans.listed_names(session, found.scan.id)}
    # Of an asset that the rules leave out or that could not be read, this scan says nothing: its
    # columns are not absent.
    taken = {asset_id(source_id, a.name): a for a in found.assets if a.state != "failed"}
    seen = {
        asset_id(source_id, asset.name, column.name)
        for asset in taken.values()
        for column in found.columns.get(asset.id, ())
    }
    tables, columns = (
        absence.judge(known, there, found.scan.id, clean=clean, over_cap_approved=approved)
        for known, there in (
            (catalog.missed(session, source_id), listed),
            (catalog.missed_columns(session, source_id, taken), seen),
        )
    )
    catalog.note_missed(session, {**tables.missed, **columns.missed})
    removed = catalog.retire(session, cause, [*tables.gone, *columns.gone])
    compliance.close_gone(session, removed)
    return len(tables.gone), len(tables.held) + len(columns.held)


def report_quality(call: Call, given: group.QualityInput) -> group.QualityResult:
    with call.db.read() as session:
        found = governed.load(session, call, given.scan_id)
    tables = [_quality(found, asset) for asset in found.assets if asset.state == governed.READ]
    whole = quality.together([item for item, _ in tables])
    lowest = sorted((shown for _, shown in tables), key=_lowest_share)[:_LOWEST]
    return group.QualityResult(
        tables=len(tables),
        completeness=whole.completeness,
        cells=whole.cells,
        validity=whole.validity,
        judged=whole.judged,
        lowest=lowest,
    )


def _quality(found: Governed, asset: scans.ScanAsset) -> tuple[quality.Quality, group.TableQuality]:
    measured = quality.of_columns(
        [
            quality.Profiled(column.profile, column.classifications, column.primary_key)
            for column in found.columns.get(asset.id, ())
        ]
    )
    shown = group.TableQuality(
        asset=asset.name,
        rows=asset.rows,
        rows_read=asset.rows_read or 0,
        completeness=measured.completeness,
        cells=measured.cells,
        uniqueness=measured.uniqueness,
        key_columns=measured.key_columns,
        validity=measured.validity,
        judged=measured.judged,
    )
    return measured, shown


def _lowest_share(item: group.TableQuality) -> tuple[float, str]:
    shares = [share for share in (item.completeness, item.validity) if share is not None]
    return min(shares, default=1.0), item.asset


PERFORMS: Performers = {group.PUBLISH: publish, group.QUALITY: report_quality}
