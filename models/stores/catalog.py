"""Queries over the catalog."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables.catalog import Asset
from racine.ids import new_id


def upsert(
    session: Session, workspace_id: str, source_id: str, *, qualified_name: str, name: str,
    kind: str, facts: dict[str, Any],
) -> str:  # fmt: skip
    """Publish an asset; return `created`, `updated` or, when nothing changed, `unchanged`."""
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    asset = session.scalar(
        select(Asset).where(
            Asset.workspace_id == workspace_id, Asset.qualified_name == qualified_name
        )
    )
    if asset is not None and asset.content_hash == digest:
        return "unchanged"
    outcome = "updated" if asset else "created"
    if asset is None:
        asset = Asset(
            id=new_id("ast"),
            workspace_id=workspace_id,
            source_id=source_id,
            qualified_name=qualified_name,
            name=name,
            kind=kind,
            version=0,
        )
        session.add(asset)
    asset.version += 1
    asset.content_hash, asset.facts, asset.updated_at = digest, facts, datetime.now(UTC)
    return outcome
