"""Holds one scan's reading to its orders and budgets: pause, throttle, skip, ceilings, window."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from activities.call import Call
from activities.progress import Progress
from models.stores import scan_progress, scans
from racine.errors import SourceFault
from racine.governance.scan_logic.windows import seconds_until_open
from racine.governance.scan_rule_sets.rules import Rules, SourceBudget

_LOOK_SECONDS = 1.0
"""How often the orders are looked at."""
_ALIVE_SECONDS = 10.0
STALLED_SECONDS = 300.0
"""How long a source may give nothing before its query is broken off; an asset's own budget of
seconds may be less."""
_LEAST_PATIENCE = 2.0
"""However small that budget is: what gives rows is cut at the next ones, and is no fault."""


class Skipped(SourceFault):
    """One asset's reading was cancelled by an order."""

    code = "asset_cancelled"


class Interrupted(SourceFault):
    """The scan is paused or its window has closed: reading goes on later where it was."""

    code = "scan_interrupted"


@dataclass
class Spent:
    """What the reading has cost so far."""

    rows: int = 0
    bytes: int = 0
    seconds: float = 0.0

    def ceiling(self, budget: SourceBudget) -> str | None:
        """Return the ceiling of the source's budget that is reached."""
        for name in ("rows", "bytes", "seconds"):
            most = getattr(budget, name)
            if most is not None and getattr(self, name) >= most:
                return f"source {name}"
        return None

    def to_json(self) -> dict[str, Any]:
        return {"rows": self.rows, "bytes": self.bytes, "seconds": round(self.seconds, 3)}


@dataclass
class Governor:
    """Looks on while the assets of one scan are read; one thread reads, another may look."""

    call: Call
    scan_id: str
    holder: str
    rules: Rules
    spent: Spent = field(default_factory=Spent)
    asset_id: str = ""
    connected: bool = False
    """A scan that waits, for its window or for others, keeps no connection from them."""

    def __post_init__(self) -> None:
        self._control: dict[str, Any] = {}
        self._looked = self._beaten = 0.0
        self._last = time.monotonic()
        self._patience = STALLED_SECONDS
        self._lock = threading.Lock()

    def begin(self, asset_id: str, seconds: float | None = None) -> None:
        """Note which asset is read from now on, and how long its reading may take."""
        self.asset_id, self._last = asset_id, time.monotonic()
        self._patience = min(STALLED_SECONDS, max(_LEAST_PATIENCE, seconds or STALLED_SECONDS))
        self.obey()

    def batch(self, rows: int, bytes_: int) -> str | None:
        """Count a batch; wait as long as orders, throttle and window ask; return a ceiling met."""
        worked = time.monotonic() - self._last
        self.spent.rows += rows
        self.spent.bytes += bytes_
        self.spent.seconds += worked
        self._go_on()
        self._slow_down(rows, worked)
        self._last = time.monotonic()
        return self.ceiling()

    def chunk(self, progress: Progress) -> None:
        assert progress.position is not None
        with self.call.db.write() as session:
            scan_progress.keep(
                session, self.asset_id, self.holder, position=progress.position,
                rows_read=progress.rows, chunks=progress.chunks, sketches=progress.to_json(),
            )  # fmt: skip
            scans.keep_spent(session, self.scan_id, self.spent.to_json())

    def ceiling(self) -> str | None:
        return self.spent.ceiling(self.rules.source_budget)

    def stop_reason(self) -> str | None:
        """Return why the running query should be broken off; another thread asks."""
        control = self._look()
        if self.asset_id in control.get("skipped", ()):
            return "The reading of this asset was cancelled."
        if time.monotonic() - self._last > self._patience and not self._idle(control):
            return f"The source gave nothing for {self._patience:g} seconds."
        return None

    def wait_until_open(self) -> None:
        """Wait while the scan is paused or outside its window; raise when it is cancelled."""
        while waits := self._idle(self._look()):
            self.obey()
            self._rest(min(waits, _LOOK_SECONDS))

    @property
    def is_open(self) -> bool:
        return not self._idle(self._look())

    def wait_for(self, ready: Callable[[], bool]) -> None:
        """Wait until something holds; raise when the scan is cancelled meanwhile."""
        while not ready():
            self.obey()
            self._rest(_LOOK_SECONDS)

    def obey(self) -> None:
        """Raise what the orders to the scan, or to the run, ask for."""
        self.call.heartbeat()
        control = self._look()
        if self.asset_id in control.get("skipped", ()):
            raise Skipped("Its reading was cancelled.")

    def _idle(self, control: dict[str, Any]) -> float:
        """Return the seconds for which nothing may be read; a pause has no known end."""
        if control.get("paused"):
            return _LOOK_SECONDS
        window = self.rules.window
        if window is None:
            return 0.0
        return seconds_until_open(
            datetime.now(UTC), window.start, window.end, window.time_zone, window.days
        )

    def _slow_down(self, rows: int, worked: float) -> None:
        """Wait so that rows come no faster than ordered; a new order holds at once."""
        began = time.monotonic()
        while True:
            control = self._look()
            rate = control.get("rows_per_second") or self.rules.source_budget.rows_per_second
            share = control.get("share") or 1.0
            due = max(rows / rate - worked if rate else 0.0, worked * (1 / share - 1))
            left = due - (time.monotonic() - began)
            if left <= 0:
                return
            self._rest(min(left, _LOOK_SECONDS))
            self._go_on()

    def _go_on(self) -> None:
        self.obey()
        if not self.is_open:
            raise Interrupted("The scan waits.")

    def _rest(self, seconds: float) -> None:
        time.sleep(seconds)
        self._last = time.monotonic()
        self.call.heartbeat()

    def _look(self) -> dict[str, Any]:
        with self._lock:
            now = time.monotonic()
            if now - self._looked >= _LOOK_SECONDS or not self._looked:
                self._looked = now
                with self.call.db.read() as session:
                    self._control = scans.control(session, self.scan_id)
            if self.connected and now - self._beaten >= _ALIVE_SECONDS:
                self._beaten = now
                with self.call.db.write() as session:
                    scans.beat(session, self.scan_id)
            return self._control
