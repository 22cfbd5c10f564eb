"""Runs the parts of a stack together: Temporal first, then all that needs it."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from local.stack.child import Child
from local.stack.parts import Temporal, environment, other_parts, temporal_part
from local.stack.ports import HOST, Ports
from local.stack.state import StateFolder
from racine.errors import Unavailable
from tools.temporal.namespace import prepare

_GRACE_SECONDS = 10.0


class _Stopped(Exception):
    """Ends the task group once everything has been stopped."""


class Stack:
    """Four supervised processes over one state folder."""

    def __init__(
        self, binary: Path, state: StateFolder, ports: Ports, log: Callable[[str, str], None]
    ) -> None:
        self._temporal = Temporal(f"{HOST}:{ports.temporal}")
        shared = environment(state, ports)
        self._server = Child(temporal_part(binary, state, ports, self._temporal), shared, log)
        self._others = [Child(part, shared, log) for part in other_parts(ports, self._temporal)]
        self.ready = asyncio.Event()

    @property
    def children(self) -> Sequence[Child]:
        return [self._server, *self._others]

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set; nothing that was started is left when this ends.

        Raises Unavailable, with its last lines, when a part cannot be brought to work.
        """
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._stop_when(stop))
                group.create_task(self._server.run())
                await self._server.working.wait()
                await prepare(await self._temporal.client())
                for child in self._others:
                    group.create_task(child.run())
                for child in self._others:
                    await child.working.wait()
                self.ready.set()
        except* _Stopped:
            pass
        except* Unavailable as failed:
            raise failed.exceptions[0] from None

    async def _stop_when(self, stop: asyncio.Event) -> None:
        await stop.wait()
        # Temporal last: workers tell it of what they finish while they drain.
        await asyncio.gather(*(child.stop(_GRACE_SECONDS) for child in self._others))
        await self._server.stop(_GRACE_SECONDS)
        raise _Stopped
