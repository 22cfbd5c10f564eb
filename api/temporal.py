"""The API's connection to Temporal: made in the background, watched, and never waited for."""

import asyncio
from contextlib import suppress
from datetime import timedelta

from temporalio.client import Client
from temporalio.service import RetryConfig, RPCError

from models.temporal import connect
from racine.errors import Unavailable

_PROBE_SECONDS = 2.0
_PAUSE_SECONDS = 1.0
_RETRY = RetryConfig(max_elapsed_time_millis=1500)
"""A caller is told within two seconds that the server does not answer; it can ask again."""


class TemporalLink:
    """Holds the client, and knows within seconds whether the server behind it answers."""

    def __init__(self, address: str, namespace: str) -> None:
        self.address = address
        self.namespace = namespace
        self.reason: str | None = f"No answer yet from {address}."
        """Why it cannot be used; None while it can."""
        self._client: Client | None = None
        self._watching: asyncio.Task[None] | None = None

    @property
    def client(self) -> Client:
        """The client; raises Unavailable while the server does not answer."""
        if self.reason is not None or self._client is None:
            raise Unavailable(
                f"Temporal does not answer. {self.reason}",
                next_step="Try again shortly; /readyz tells when it is back.",
            )
        return self._client

    async def start(self) -> None:
        """Look once, then keep watching."""
        await self._look()
        self._watching = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
            with suppress(asyncio.CancelledError):
                await self._watching

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_PAUSE_SECONDS)
            await self._look()

    async def _look(self) -> None:
        try:
            async with asyncio.timeout(_PROBE_SECONDS):
                if self._client is None:
                    self._client = await connect(self.address, self.namespace, retry=_RETRY)
                healthy = await self._client.service_client.check_health(
                    timeout=timedelta(seconds=_PROBE_SECONDS)
                )
            self.reason = None if healthy else f"{self.address} says that it is not serving."
        except TimeoutError:
            self.reason = f"{self.address} took longer than {_PROBE_SECONDS:g} s."
        except (RPCError, RuntimeError) as error:
            self.reason = f"{self.address}: {str(error)[:200]}"
