"""A real SQLite source taken through the real operations of a governance run, without Temporal."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from activities import catalog, classifications, compliance, scanning, sources
from activities.call import Call
from models.messages import RunContext
from models.session import Database
from models.tables.workspaces import Workspace
from racine.governance.catalog import PublishInput, PublishResult, QualityInput, QualityResult
from racine.governance.classifications import ClassifyInput, ClassifyResult
from racine.governance.compliance import (
    PlanResult,
    ReportResult,
    SourceScope,
    ValidateInput,
    ValidateResult,
)
from racine.governance.data_sources import DiscoverInput, RegisterInput, SourceRef
from racine.governance.scan_logic import ScanRef
from racine.ids import new_id

CARDS = ["4111111111111111", "5555555555554444", "378282246310005", "6011111111111117",
         "4012888888881881", "5105105105105100", "4222222222222"]  # fmt: skip

Tables = Mapping[str, Mapping[str, Sequence[Any]]]

SHOP: Tables = {
    "customers": {"id": range(50), "contact": [f"person{n}@example.org" for n in range(50)]},
    "payments": {"id": range(7), "card_number": CARDS},
}


def write(path: Path, tables: Tables) -> None:
    """Make the file hold exactly these tables, each a mapping of column to values."""
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as shop:
        for table, columns in tables.items():
            shop.execute(f'CREATE TABLE "{table}" ({", ".join(f"{c!r}" for c in columns)})')
            marks = ", ".join("?" for _ in columns)
            rows = zip(*columns.values(), strict=True)
            shop.executemany(f'INSERT INTO "{table}" VALUES ({marks})', rows)


@dataclass
class Governing:
    """One source in one workspace; each `scan` opens a scan over what the file holds then."""

    db: Database
    path: Path
    workspace_id: str = "ws_1"
    source_id: str = ""
    scan_id: str = ""
    run_id: str = field(default_factory=lambda: new_id("run"))

    def __post_init__(self) -> None:
        with self.db.write() as session:
            if session.get(Workspace, self.workspace_id) is None:
                session.add(Workspace(id=self.workspace_id, slug=self.workspace_id, title="Main"))

    @property
    def call(self) -> Call:
        context = RunContext(run_id=self.run_id, workspace_id=self.workspace_id, actor="usr_system")
        return Call(self.db, context, "task", 1, lambda *_: None)

    def scan(self, tables: Tables | None = None) -> str:
        """Register, discover and scan; return the scan's id."""
        if tables is not None:
            write(self.path, tables)
        self.run_id = new_id("run")
        given = RegisterInput(name="shop", kind="sqlite", location=str(self.path))
        self.source_id = sources.register(self.call, given).source_id
        sources.test(self.call, SourceRef(source_id=self.source_id))
        found = sources.discover(self.call, DiscoverInput(source_id=self.source_id))
        self.scan_id = found.scan_id
        scanning.scan(self.call, ScanRef(scan_id=self.scan_id))
        return self.scan_id

    def classify(self) -> ClassifyResult:
        return classifications.classify(self.call, ClassifyInput(scan_id=self.scan_id))

    def validate(self, *frameworks: str) -> ValidateResult:
        given = ValidateInput(scan_id=self.scan_id, frameworks=list(frameworks))
        return compliance.validate(self.call, given)

    def publish(self, *, approve_deletions: bool = False) -> PublishResult:
        given = PublishInput(scan_id=self.scan_id, approve_deletions=approve_deletions)
        return catalog.publish(self.call, given)

    def quality(self) -> QualityResult:
        return catalog.report_quality(self.call, QualityInput(scan_id=self.scan_id))

    def plan(self) -> PlanResult:
        return compliance.plan_remediation(self.call, SourceScope(source_id=self.source_id))

    def report(self) -> ReportResult:
        return compliance.report(self.call, SourceScope(source_id=self.source_id))

    def govern(self, tables: Tables | None = None) -> PublishResult:
        """Take the source through everything up to its publication."""
        self.scan(tables)
        self.classify()
        self.validate()
        return self.publish()
