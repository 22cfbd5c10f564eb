"""What the organisation has: assets, versions, tags, owners."""

from racine.group import Group, Operation, Payload


class PublishInput(Payload):
    scan_id: str


class PublishResult(Payload):
    created: int
    updated: int
    unchanged: int


PUBLISH = Operation(
    "catalog.publish",
    PublishInput,
    PublishResult,
    "Publishes a scan's assets as their new version.",
    permission="catalog:write",
)

GROUP = Group("catalog", "Catalog", (PUBLISH,))
