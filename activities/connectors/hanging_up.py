"""Ends a connection whose server does not even hear that it should stop."""

import contextlib
import os
import socket


def hang_up(descriptor: int) -> None:
    """Shut a connection's socket: who waits for an answer on it gets its end at once."""
    # A thread that reads may close it meanwhile: then there is nothing left to end.
    with contextlib.suppress(OSError, ValueError), socket.socket(fileno=os.dup(descriptor)) as same:
        same.shutdown(socket.SHUT_RDWR)
