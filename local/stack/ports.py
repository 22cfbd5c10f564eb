"""Chooses the ports of a stack."""

import socket
from contextlib import ExitStack
from dataclasses import dataclass

from racine.errors import Conflict

HOST = "127.0.0.1"
_API, _TEMPORAL, _WEB = 8000, 7233, 8233


@dataclass(frozen=True)
class Ports:
    api: int
    temporal: int
    web: int


def choose(api: int | None = None) -> Ports:
    """Return the usual ports, or free ones where those are taken.

    An API port that is asked for is used or refused with Conflict; 0 asks for free ports only.
    """
    with ExitStack() as held:
        if api:
            if not _take(api, held):
                raise Conflict(
                    f"Port {api} is in use.",
                    next_step="Name another with --port, or leave it out to get a free one.",
                )
            return Ports(api, _first_free(_TEMPORAL, held), _first_free(_WEB, held))
        usual = (_API, _TEMPORAL, _WEB) if api is None else (0, 0, 0)
        return Ports(*(_first_free(port, held) for port in usual))


def _first_free(port: int, held: ExitStack) -> int:
    return _take(port, held) or _take(0, held)


def _take(port: int, held: ExitStack) -> int:
    """Bind the port until the stack unwinds, so that no two parts get the same; 0 when taken."""
    probe = held.enter_context(socket.socket())
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        probe.bind((HOST, port))
    except OSError:
        return 0
    return int(probe.getsockname()[1])
