"""Maps errors to Temporal's, once: Racine's keep their code, all others only type and place."""

import traceback
from datetime import timedelta
from pathlib import Path

from temporalio.exceptions import ApplicationError

from racine.errors import RacineError

_ROOT = Path(__file__).resolve().parent.parent


def as_failure(fault: RacineError) -> ApplicationError:
    """Return Racine's error as Temporal's: the code is the type, the next step a detail."""
    after = fault.details.get("retry_after")
    return ApplicationError(
        fault.message,
        {"next_step": fault.next_step, **fault.details},
        type=fault.code,
        non_retryable=not fault.retryable,
        next_retry_delay=None if after is None else timedelta(seconds=after),
    )


def unexpected(fault: Exception) -> tuple[ApplicationError, str]:
    """Return an error nobody foresaw as its type and place, and apart the whole traceback.

    The text of such an error may hold values of the data it met, so no history may show it.
    """
    name = type(fault).__name__
    return (
        ApplicationError(f"{name} at {_place(fault)}", {"next_step": ""}, type=name),
        "".join(traceback.format_exception(fault)),
    )


def _place(fault: Exception) -> str:
    """Return the last line of our own code that the error passed."""
    frames = traceback.extract_tb(fault.__traceback__)
    ours = [f for f in frames if f.filename.startswith(str(_ROOT)) and "/.venv/" not in f.filename]
    if not ours:
        return "an unknown place"
    return f"{Path(ours[-1].filename).relative_to(_ROOT)}:{ours[-1].lineno}"
