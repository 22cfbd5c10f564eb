"""Structured logs of every server process: one line an event, ids bound, secrets taken out."""

import logging
import sys
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

from models.settings import Settings
from racine.redaction import redact, redact_text

bound = structlog.contextvars.bound_contextvars
"""`with bound(run_id=…, workspace_id=…):` puts ids on every line logged inside."""


def configure(settings: Settings) -> None:
    """Send all logging, that of libraries too, to stderr in the format of the settings."""
    last: Processor = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(
            colors=False, sort_keys=False, exception_formatter=structlog.dev.plain_traceback
        )
    )
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redacted,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level.upper())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers.clear()
        # Our own `request` line tells more; both would write every request twice.
        logging.getLogger(name).propagate = name != "uvicorn.access"


def redacted(_: Any, __: str, event: EventDict) -> EventDict:
    """Take secrets out of a line, and line breaks out of its text: one event stays one line."""
    clean = {name: redact(value, name) for name, value in event.items() if name[0] != "_"}
    kept = {name: value for name, value in event.items() if name[0] == "_"}
    clean["event"] = redact_text(str(event.get("event", ""))).replace("\n", "\\n")
    return {**clean, **kept}
