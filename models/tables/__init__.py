"""Every table, imported so that the metadata is whole."""

from models.tables import (
    access,
    activities,
    blobs,
    catalog,
    compliance,
    idempotency,
    jobs,
    leases,
    notifications,
    rule_sets,
    runs,
    scans,
    schedules,
    secrets,
    sources,
    verdicts,
    workspaces,
)
from models.tables.base import Table

__all__ = [
    "Table",
    "access",
    "activities",
    "blobs",
    "catalog",
    "compliance",
    "idempotency",
    "jobs",
    "leases",
    "notifications",
    "rule_sets",
    "runs",
    "scans",
    "schedules",
    "secrets",
    "sources",
    "verdicts",
    "workspaces",
]
