"""Starts processes that cannot outlive the one that started them."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
"""`prctl(2)`."""


def dies_with_parent() -> Callable[[], None] | None:
    """Return a `preexec_fn` after which the kernel kills the child when its parent is gone.

    None where the system has no such call (only Linux has it): there, a supervisor that is killed
    with SIGKILL leaves its children.
    """
    if sys.platform != "linux":
        return None
    # Loaded before the fork: nothing but the call itself may happen between fork and exec.
    libc, parent = ctypes.CDLL(None, use_errno=True), os.getpid()

    def arrange() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # the parent died before the call above
            os._exit(1)

    return arrange


def signal_group(leader: int, number: signal.Signals) -> None:
    """Signal the process group of a session leader; nothing happens when it is gone."""
    try:
        os.killpg(leader, number)
    except (ProcessLookupError, PermissionError):
        # macOS answers EPERM for a group that holds only zombies.
        return
