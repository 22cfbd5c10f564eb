"""One child process and the talk with it."""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_SCRIPT = Path(__file__).with_name("child.py")
_POLL_SECONDS = 0.2
_CHUNK = 1 << 16
_LINE = 4_000
"""Characters of one captured line that are kept."""
_LINES = 5_000
"""Captured lines of one stream and attempt that are kept."""

Log = Callable[[str, str], None]
"""Takes a captured line: `stdout` or `stderr` and the text, or `log` and a record as JSON."""


class ChildDied(Exception):
    """The process ended before it answered; `status` is its exit code, negative for a signal."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class OutOfTime(Exception):
    """The task did not answer within its limit; the process is gone."""


class Child:
    """A warm process that runs one task at a time; whatever ends it ends that task only."""

    def __init__(self, folders: Sequence[str], memory_megabytes: int) -> None:
        orders, self._orders = os.pipe()
        self._answers, answers = os.pipe()
        out, child_out = os.pipe()
        err, child_err = os.pipe()
        records, child_records = os.pipe()
        ours = (orders, answers, child_out, child_err, child_records)
        talk = [str(orders), str(answers), str(child_records)]
        arguments = [*talk, str(memory_megabytes), *folders]
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-B", "-u", os.fspath(_SCRIPT), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=child_out,
                stderr=child_err,
                pass_fds=(orders, answers, child_records),
                # A group of its own, so that killing it takes along what the user's code started.
                start_new_session=True,
                env=_environment(),
            )
        finally:
            for descriptor in ours:
                os.close(descriptor)
        self._streams = {
            out: _Stream("stdout"), err: _Stream("stderr"), records: _Stream("log"),
        }  # fmt: skip
        for descriptor in self._streams:
            os.set_blocking(descriptor, False)
        self._buffer = bytearray()

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def run(
        self, order: dict[str, Any], seconds: float, log: Log, beat: Callable[[], None]
    ) -> dict[str, Any]:
        """Run a task and return its answer; raises ChildDied or OutOfTime, the process then gone.

        `beat` is called every now and then and may raise to end the attempt.
        """
        deadline = time.monotonic() + seconds
        try:
            self._tell(order)
            answer = self._answer(deadline, log, beat)
        except BaseException:
            self._capture(log)
            self.kill()
            raise
        self._capture(log)
        for stream in self._streams.values():
            stream.end(log)
        return answer

    def kill(self) -> None:
        """End the process and everything it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(timeout=10)
        for descriptor in (self._orders, self._answers, *self._streams):
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def _tell(self, order: dict[str, Any]) -> None:
        data = (json.dumps(order) + "\n").encode()
        try:
            while data:
                data = data[os.write(self._orders, data) :]
        except BrokenPipeError:
            raise self._death() from None

    def _answer(self, deadline: float, log: Log, beat: Callable[[], None]) -> dict[str, Any]:
        whole = b"\n" in self._buffer
        while not whole:
            beat()
            left = deadline - time.monotonic()
            if left <= 0:
                raise OutOfTime
            watched = [self._answers, *self._streams]
            ready, _, _ = select.select(watched, [], [], min(left, _POLL_SECONDS))
            if self._answers in ready:
                chunk = os.read(self._answers, _CHUNK)
                if not chunk:
                    raise self._death()
                self._buffer += chunk
                # Not in all of it: an answer of 50 MB comes in 800 chunks.
                whole = b"\n" in chunk
            elif ready:
                self._capture(log)
        line, _, self._buffer = self._buffer.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _capture(self, log: Log) -> None:
        for descriptor, stream in self._streams.items():
            with contextlib.suppress(BlockingIOError):
                while chunk := os.read(descriptor, _CHUNK):
                    stream.take(chunk, log)

    def _death(self) -> ChildDied:
        return ChildDied(self._process.wait(timeout=10))


@dataclass
class _Stream:
    """Cuts what a stream brings into lines, and stops at a bound."""

    name: str
    rest: bytes = b""
    lines: int = field(default=0)

    def take(self, chunk: bytes, log: Log) -> None:
        *lines, self.rest = (self.rest + chunk).split(b"\n")
        for line in lines:
            self._tell(line, log)
        self.rest = self.rest[: _LINE * 4]

    def end(self, log: Log) -> None:
        if self.rest:
            self._tell(self.rest, log)
        self.rest, self.lines = b"", 0

    def _tell(self, line: bytes, log: Log) -> None:
        self.lines += 1
        if self.lines <= _LINES:
            log(self.name, line.decode(errors="replace").replace("\0", "\ufffd")[:_LINE])
        elif self.lines == _LINES + 1:
            told = f"… more than {_LINES} lines: the rest is not kept"
            log(self.name, json.dumps({"line": told}) if self.name == "log" else told)


def _environment() -> dict[str, str]:
    """Return our environment without Racine's own settings, which hold its keys."""
    return {k: v for k, v in os.environ.items() if not k.startswith("RACINE_")}
