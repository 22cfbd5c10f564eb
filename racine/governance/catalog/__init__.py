"""What the organisation has: assets, versions, tags, owners."""

from racine.group import Group, Operation, Payload


class PublishInput(Payload):
    scan_id: str
    approve_deletions: bool = False
    """Takes for gone what two clean listings lacked, even beyond the cap of a run."""


class PublishResult(Payload):
    created: int
    updated: int
    unchanged: int
    restored: int
    gone: int
    """Assets, without their columns, that two clean listings lacked."""
    held: int
    """Assets that would be gone but for the cap: a person has to agree."""
    assets: int


class QualityInput(Payload):
    scan_id: str


class TableQuality(Payload):
    """Quality of one table's sample; each share comes with the number it was counted over."""

    asset: str
    rows: int | None
    rows_read: int
    completeness: float | None
    """Share of cells that hold a value, over `cells`."""
    cells: int
    uniqueness: float | None
    """Share of distinct values among the filled cells of `key_columns`."""
    key_columns: int
    validity: float | None
    """Share of values that are valid for the kind of their column, over `judged`."""
    judged: int


class QualityResult(Payload):
    tables: int
    completeness: float | None
    cells: int
    validity: float | None
    judged: int
    lowest: list[TableQuality]
    """The tables with the lowest completeness or validity, at most ten."""


PUBLISH = Operation(
    "catalog.publish",
    PublishInput,
    PublishResult,
    "Publishes a scan's assets as their new version, each with its compliance state.",
    example={"scan_id": "scan_01"},
    permission="catalog:run",
)
QUALITY = Operation(
    "catalog.report_quality",
    QualityInput,
    QualityResult,
    "Reports completeness, uniqueness and validity of a scan's tables from their profiles.",
    example={"scan_id": "scan_01"},
    permission="catalog:read",
)

GROUP = Group("catalog", "Catalog", (PUBLISH, QUALITY))
