"""Notes in the index which runs Temporal has taken: those that come while it writes go together.

What a crash leaves unnoted, the reconciler starts once more, attaches, and notes.
"""

import asyncio
from datetime import UTC, datetime

import structlog
from sqlalchemy.exc import SQLAlchemyError

from models.session import Database
from models.stores import runs

_log = structlog.get_logger("begun")


class Begun:
    """One for each API process; used on its event loop."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._waiting: dict[str, datetime] = {}
        self._turn = asyncio.Lock()

    async def note(self, run_id: str) -> None:
        """Write that Temporal has the run since now."""
        self._waiting[run_id] = datetime.now(UTC)
        async with self._turn:
            taken, self._waiting = self._waiting, {}
            if not taken:
                return  # with those before
            try:
                await asyncio.to_thread(self._mark, taken)
            except SQLAlchemyError as fault:
                _log.warning("not_noted", runs=len(taken), error=type(fault).__name__)

    def _mark(self, taken: dict[str, datetime]) -> None:
        with self._db.write() as session:
            runs.mark_started(session, taken)
