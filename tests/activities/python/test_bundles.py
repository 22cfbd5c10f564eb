"""Bundles on a worker: unpacked once, checked, read-only, and dropped when nobody wants them."""

import os
import time
from pathlib import Path

import pytest

from activities.python.bundles import BundleCache
from activities.python.requirements import require_packages
from models.session import Database
from models.stores import bundles as stored
from models.tables.workspaces import Workspace
from racine import bundles
from racine.errors import InvalidInput, NotFound

FILES = {"mine.py": b"answer = 42\n", "pack/__init__.py": b"", "pack/data.csv": b"a,b\n"}


@pytest.fixture
def digest(sqlite_db: Database) -> str:
    with sqlite_db.write() as session:
        session.add(Workspace(id="ws_1", slug="main", title="Main"))
        session.flush()
        return stored.put(session, "ws_1", bundles.pack(FILES), 3, "usr_1").digest


def files_in(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*.*")}


def test_a_bundle_is_unpacked_once_and_read_only(
    sqlite_db: Database, tmp_path: Path, digest: str
) -> None:
    cache = BundleCache(sqlite_db, tmp_path / "bundles")
    with cache.held("ws_1", digest) as folder:
        assert files_in(folder) == FILES
        made = folder.stat().st_ino
        modes = {path.stat().st_mode & 0o222 for path in [folder, *folder.rglob("*")]}
        assert modes == {0}
    with BundleCache(sqlite_db, tmp_path / "bundles").held("ws_1", digest) as folder:
        assert folder.stat().st_ino == made


def test_what_was_tampered_with_is_unpacked_anew(
    sqlite_db: Database, tmp_path: Path, digest: str
) -> None:
    with BundleCache(sqlite_db, tmp_path).held("ws_1", digest) as folder:
        (folder / "mine.py").chmod(0o644)
        (folder / "mine.py").write_bytes(b"answer = 13\n")
    with BundleCache(sqlite_db, tmp_path).held("ws_1", digest) as folder:
        assert files_in(folder) == FILES
        folder.chmod(0o755)
        (folder / "more.py").symlink_to("/etc/hosts")
    with BundleCache(sqlite_db, tmp_path).held("ws_1", digest) as folder:
        assert files_in(folder) == FILES


def test_a_bundle_that_is_not_there_is_told(
    sqlite_db: Database, tmp_path: Path, digest: str
) -> None:
    cache = BundleCache(sqlite_db, tmp_path)
    for workspace, wanted in (("ws_1", "0" * 64), ("ws_2", digest)):
        with pytest.raises(NotFound, match="no bundle"), cache.held(workspace, wanted):
            pass


def test_what_nobody_ran_for_long_is_dropped_unless_it_runs(
    sqlite_db: Database, tmp_path: Path, digest: str
) -> None:
    with sqlite_db.write() as session:
        newer, newest = (
            stored.put(session, "ws_1", bundles.pack({"a.py": name}), 1, "usr_1").digest
            for name in (b"1", b"2")
        )
    cache, old = BundleCache(sqlite_db, tmp_path), time.time() - 30 * 86_400
    with cache.held("ws_1", digest) as folder:
        os.utime(tmp_path / f"{digest}.lock", (old, old))
        with BundleCache(sqlite_db, tmp_path).held("ws_1", newer):
            assert files_in(folder) == FILES
    with BundleCache(sqlite_db, tmp_path).held("ws_1", newest):
        assert not folder.exists()
    with cache.held("ws_1", digest) as folder:
        assert files_in(folder) == FILES


def test_requirements_are_compared_with_what_the_worker_has(tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    require_packages(file)
    file.write_text('pydantic>=2 # models\n# a comment\n\nnothing==1; python_version < "3"\n')
    require_packages(file)
    file.write_text("pydantic<1\nno-such-package==3\n-r other.txt\n")
    with pytest.raises(InvalidInput) as told:
        require_packages(file)
    assert "pydantic<1 is asked for" in told.value.message
    assert "no-such-package is not there" in told.value.message
    assert "'-r other.txt' is no requirement" in told.value.message
