"""The one folder that holds everything an installation keeps."""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from racine.errors import Conflict, InvalidInput
from services.bootstrap import PASSWORD_FILE


@dataclass(frozen=True)
class Running:
    """Where a running stack answers."""

    pid: int
    api: str
    web: str
    temporal: str


class StateFolder:
    """Names the files of a state folder and keeps a second supervisor out of it."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.temporal_db = self.root / "temporal.db"
        self.logs = self.root / "logs"
        self.password_file = self.root / PASSWORD_FILE
        self._lock = self.root / "dev.lock"
        self._running = self.root / "dev.json"

    @property
    def database_url(self) -> str:
        return f"sqlite:///{self.root / 'racine.db'}"

    def make(self) -> None:
        """Create the folder for its owner alone; raise InvalidInput where that cannot be."""
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.logs.mkdir(exist_ok=True)
        except OSError as error:
            raise InvalidInput(
                f"The state folder {self.root} cannot be made: {error.strerror}.",
                next_step="Choose another with --state DIR.",
            ) from None

    def refuse_foreign(self) -> None:
        """Raise InvalidInput when the folder holds anything but a stack's state."""
        if self.root.exists() and any(self.root.iterdir()) and not self._lock.exists():
            raise InvalidInput(
                f"{self.root} holds files that are not Racine's: it will not be emptied.",
                next_step="Name a new or an empty folder with --state DIR.",
            )

    def empty(self) -> None:
        """Remove what an earlier stack kept; the lock stays."""
        for path in self.root.iterdir():
            if path == self._lock:
                continue
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        self.make()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder; the kernel lets go of it however this process ends.

        Raises Conflict, naming the holder, when another process holds it.
        """
        with self._lock.open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise self._held(file.name) from None
            self._running.unlink(missing_ok=True)  # of a supervisor that was killed
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            try:
                yield
            finally:
                self._running.unlink(missing_ok=True)
                file.truncate(0)

    def _held(self, lock: str) -> Conflict:
        pid = Path(lock).read_text().strip() or "unknown"
        running = self.running()
        place = f" and answers at {running.api}" if running else ""
        return Conflict(
            f"Another `racine dev` (process {pid}) holds {self.root}{place}.",
            next_step="Stop it with Ctrl-C, or use another folder with --state DIR.",
        )

    def tell_running(self, running: Running) -> None:
        """Leave word of where the stack answers, for the commands that look for it."""
        draft = self._running.with_suffix(".new")
        draft.write_text(json.dumps(asdict(running)))
        draft.replace(self._running)

    def running(self) -> Running | None:
        """Return where the stack answers, None unless one is ready."""
        try:
            running = Running(**json.loads(self._running.read_text()))
            # A supervisor that was killed leaves its word behind.
            os.kill(running.pid, 0)
        except (OSError, ValueError, TypeError):
            return None
        return running
