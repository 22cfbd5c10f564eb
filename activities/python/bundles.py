"""Bundles on this machine: each unpacked once, checked against its name, and read-only."""

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Lock

from activities.python.requirements import require_packages
from models.session import Database
from models.stores import bundles
from racine import bundles as archives
from racine.errors import InvalidInput

_IDLE_DAYS = 7
"""After so many days without a task, a bundle leaves this machine; the next task brings it back."""


class BundleCache:
    """A folder with one folder for each bundle; several processes may share it."""

    def __init__(self, db: Database, root: Path) -> None:
        self._db = db
        self._root = root
        self._checked: set[str] = set()
        self._lock = Lock()

    @contextlib.contextmanager
    def held(self, workspace_id: str, digest: str) -> Iterator[Path]:
        """Give the folder of a bundle's modules, which stays while the block lasts.

        Raises NotFound when the workspace has no such bundle.
        """
        self._root.mkdir(parents=True, exist_ok=True)
        with open(self._root / f"{digest}.lock", "w") as held:
            fcntl.flock(held, fcntl.LOCK_SH)
            os.utime(held.fileno())
            with self._lock:
                folder = self._present(workspace_id, digest)
            yield folder

    def _present(self, workspace_id: str, digest: str) -> Path:
        folder = self._root / digest
        if digest in self._checked and folder.is_dir():
            return folder
        with open(self._root / ".unpacking", "w") as alone:
            fcntl.flock(alone, fcntl.LOCK_EX)
            if not _is_sound(folder, digest):
                with self._db.read() as session:
                    content = bundles.content(session, workspace_id, digest)
                self._place(content, folder)
                self._drop_idle()
        require_packages(folder / "requirements.txt")
        self._checked.add(digest)
        return folder

    def _place(self, content: bytes, folder: Path) -> None:
        """Unpack beside the place and move there, so that a crash leaves no half of a bundle."""
        made = Path(tempfile.mkdtemp(prefix="unpacking-", dir=self._root))
        try:
            for name, data in archives.unpack(content).items():
                path = made / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
                path.chmod(0o444)
            _set_folders(made, 0o555)
            _remove(folder)
            made.rename(folder)
        finally:
            _remove(made)

    def _drop_idle(self) -> None:
        oldest = time.time() - _IDLE_DAYS * 86_400
        for lock in self._root.glob("*.lock"):
            if lock.stat().st_mtime < oldest:
                self._drop(lock)

    def _drop(self, lock: Path) -> None:
        with open(lock) as held, contextlib.suppress(BlockingIOError):
            # Whoever runs a task of it holds the lock too.
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._checked.discard(lock.stem)
            _remove(self._root / lock.stem)


def _is_sound(folder: Path, digest: str) -> bool:
    """Tell whether a folder holds what its name says, and nothing else."""
    if not folder.is_dir():
        return False
    paths = [path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()]
    if any(path.is_symlink() for path in paths):
        return False
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    try:
        return archives.digest(archives.pack(files)) == digest
    except InvalidInput:
        return False


def _remove(folder: Path) -> None:
    if folder.is_dir():
        _set_folders(folder, 0o755)
        shutil.rmtree(folder, ignore_errors=True)


def _set_folders(folder: Path, mode: int) -> None:
    for path in [folder, *(p for p in folder.rglob("*") if p.is_dir() and not p.is_symlink())]:
        path.chmod(mode)
