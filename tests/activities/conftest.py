from pathlib import Path

import pytest

from models.session import Database
from tests.activities.governing import Governing


@pytest.fixture
def governing(db: Database, tmp_path: Path) -> Governing:
    """A source of one workspace, on each database engine in turn."""
    return Governing(db, tmp_path / "shop.db")
