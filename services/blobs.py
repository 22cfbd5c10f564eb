"""Large values outlive their runs for a while, and are then purged."""

import asyncio
from datetime import UTC, datetime, timedelta

from models.session import Database
from models.stores import blobs

WRITTEN = timedelta(hours=1)
"""How long a blob is kept that nothing refers to yet: an activity writes it before it ends."""

_EVERY = timedelta(minutes=10)


class Duty:
    """The reconciler's part: now and then deletes what no run refers to any more."""

    def __init__(self, db: Database, retention: timedelta, *, every: timedelta = _EVERY) -> None:
        self._db, self._retention, self._every = db, retention, every
        self._next = datetime.min.replace(tzinfo=UTC)

    async def __call__(self) -> None:
        if datetime.now(UTC) >= self._next:
            await asyncio.to_thread(self.purge)
            self._next = datetime.now(UTC) + self._every

    def purge(self) -> int:
        """Delete what may go, a few hundred in a transaction; return how many."""
        at = datetime.now(UTC)
        with self._db.write() as session:
            blobs.forget_uses(session, at - self._retention)
        total = 0
        while True:
            with self._db.write() as session:
                gone = blobs.purge(session, at - WRITTEN)
            total += gone
            if not gone:
                return total
