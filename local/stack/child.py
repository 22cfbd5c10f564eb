"""One supervised process."""

import asyncio
import os
import signal
import time
from asyncio.subprocess import DEVNULL, STDOUT
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import httpx
from temporalio.service import RPCError

from local.stack.process import dies_with_parent, signal_group
from racine.errors import Unavailable

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
_STEADY_SECONDS = 60
"""A process that lived this long is started again without delay."""
_HOPELESS = 5
"""Ends in a row, without having worked once, after which starting again will not help."""
_PROBE_SECONDS = 3.0
_BETWEEN_PROBES = {False: 0.1, True: 2.0}
_LONGEST_LINE = 2**20
_REMEMBERED_LINES = 8


class Health(StrEnum):
    WAITING = "waiting"
    STARTING = "starting"
    WORKING = "working"
    SILENT = "not answering"
    ENDED = "ended"


@dataclass(frozen=True)
class Part:
    """A process of the stack: what it runs and how one knows that it works."""

    name: str
    command: tuple[str, ...]
    works: Callable[[int], Awaitable[bool]]
    """Given the process's id, tells whether it does its work now; raising means no."""


class Child:
    """Keeps one part running: starts it again, after growing pauses, whenever it ends."""

    def __init__(
        self, part: Part, environment: Mapping[str, str], log: Callable[[str, str], None]
    ) -> None:
        self.part = part
        self.health = Health.WAITING
        self.restarts = 0
        self.pid: int | None = None
        self.working = asyncio.Event()
        self.last_lines: deque[str] = deque(maxlen=_REMEMBERED_LINES)
        self._environment = dict(environment)
        self._log = log
        self._stop = asyncio.Event()
        self._ended = asyncio.Event()

    async def run(self) -> None:
        """Run until `stop`; raise Unavailable when the part only ends and never works."""
        pause = _FIRST_PAUSE
        while not self._stop.is_set():
            began = time.monotonic()
            code = await self._run_once()
            if self._stop.is_set():
                return
            if not self.working.is_set() and self.restarts + 1 >= _HOPELESS:
                raise self._hopeless(code)
            pause = _FIRST_PAUSE if time.monotonic() - began > _STEADY_SECONDS else pause
            self.restarts += 1
            self._log(self.part.name, f"ended with {code}; starting again in {pause:g} s")
            await self._wait_for_stop(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def stop(self, grace: float) -> None:
        """Ask the part to end, with its group; kill what is left after `grace` seconds."""
        self._stop.set()
        if self.pid is None:
            return
        signal_group(self.pid, signal.SIGTERM)
        try:
            await asyncio.wait_for(self._ended.wait(), grace)
        except TimeoutError:
            signal_group(self.pid, signal.SIGKILL)
            await self._ended.wait()

    def _hopeless(self, code: int) -> Unavailable:
        said = "\n  ".join(self.last_lines) or "nothing"
        return Unavailable(
            f"The part {self.part.name!r} ended {_HOPELESS} times with code {code} "
            f"before it ever worked. Its last words:\n  {said}\n",
            next_step="Mend what it names, then start again.",
        )

    async def _run_once(self) -> int:
        # A pipe of our own: asyncio's `wait()` would go on while any grandchild holds its pipe.
        lines, end = await _pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *self.part.command,
                env=self._environment,
                stdin=DEVNULL,
                stdout=end,
                stderr=STDOUT,
                start_new_session=True,
                preexec_fn=dies_with_parent(),
            )
        finally:
            os.close(end)
        self.pid, self.health = process.pid, Health.STARTING
        self._ended.clear()
        reading = asyncio.create_task(self._read(lines))
        watching = asyncio.create_task(self._watch(process.pid))
        try:
            code = await process.wait()
        finally:
            watching.cancel()
            # What the leader started in its group must not outlive it.
            signal_group(process.pid, signal.SIGKILL)
            self.pid, self.health = None, Health.ENDED
            self._ended.set()
        await reading
        return code

    async def _read(self, lines: asyncio.StreamReader) -> None:
        while True:
            try:
                line = await lines.readline()
            except ValueError:
                line = b"(a line over 1 MiB was left out)"
            if not line:
                return
            text = line.decode(errors="replace").rstrip()
            self.last_lines.append(text)
            self._log(self.part.name, text)

    async def _watch(self, pid: int) -> None:
        while True:
            works = await self._works(pid)
            if works:
                self.health = Health.WORKING
                self.working.set()
            elif self.health is Health.WORKING:
                self.health = Health.SILENT
            await asyncio.sleep(_BETWEEN_PROBES[works])

    async def _works(self, pid: int) -> bool:
        try:
            async with asyncio.timeout(_PROBE_SECONDS):
                return await self.part.works(pid)
        except (OSError, RuntimeError, RPCError, httpx.HTTPError):
            return False

    async def _wait_for_stop(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stop.wait(), seconds)
        except TimeoutError:
            return


async def _pipe() -> tuple[asyncio.StreamReader, int]:
    """Return what reads a new pipe and the descriptor of the end that is written to."""
    out, end = os.pipe()
    lines = asyncio.StreamReader(limit=_LONGEST_LINE)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), os.fdopen(out, "rb", 0)
    )
    return lines, end
