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
    runs,
    scans,
    schedules,
    sources,
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
    "runs",
    "scans",
    "schedules",
    "sources",
    "workspaces",
]
