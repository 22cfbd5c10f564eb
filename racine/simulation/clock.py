"""An event loop whose time passes only when nothing else is left to do: a wait of days is over
at once, and what happens is in the order in which it would be."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Leaping(selectors.SelectSelector):
    """Instead of waiting for time to pass, lets it have passed."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.when_idle: Callable[[], None] | None = None

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            self._idle()
        self.now += max(timeout or 0.0, 0.0)
        return super().select(0)

    def _idle(self) -> None:
        told, self.when_idle = self.when_idle, None
        if told is None:
            raise RuntimeError("The simulated run waits for something that never comes.")
        told()


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self, selector: _Leaping) -> None:
        super().__init__(selector)
        self.leaping = selector

    def time(self) -> float:
        return self.leaping.now


def run_at_once(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in time of its own, from 0 s on."""
    with asyncio.Runner(loop_factory=lambda: _Loop(_Leaping())) as runner:
        return runner.run(work)


def when_idle(tell: Callable[[], None]) -> None:
    """Have it told, once, that all waits for what only a person would do."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, _Loop)
    loop.leaping.when_idle = tell


def seconds() -> float:
    """Return the simulated seconds since the run began."""
    return round(asyncio.get_running_loop().time(), 6)
