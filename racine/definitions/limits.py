"""How many runs of a job may go on at once, and what happens to one too many."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from racine import expressions
from racine.definitions.document import JobDocument, Queue
from racine.errors import Fault, InvalidInput
from racine.expressions import check, located_templates

MAX_KEY = 200
"""Characters of a key that are kept as they are; a longer one is known by its hash."""


@dataclass(frozen=True)
class RunLimits:
    """The limits of one job; None for no limit on its runs together."""

    runs: int | None
    per_key: int | None
    queue: Queue

    def __bool__(self) -> bool:
        return self.runs is not None or self.per_key is not None


def limits_of(document: Mapping[str, Any]) -> RunLimits:
    """Return the limits of a stored document."""
    keyed = document.get("concurrency_key") is not None
    return RunLimits(
        runs=document.get("max_concurrent_runs"),
        per_key=document.get("max_concurrent_runs_per_key", 1) if keyed else None,
        queue=Queue.model_validate(document.get("queue", {})),
    )


def key_of(document: JobDocument, values: Mapping[str, Any]) -> str | None:
    """Return the key that a run with these parameters shares with its like; None without one."""
    if document.concurrency_key is None:
        return None
    found = expressions.resolve(document.concurrency_key, {"params": dict(values)})
    text = expressions.as_text(found)
    if len(text) <= MAX_KEY:
        return text
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def limit_faults(document: JobDocument) -> Iterator[Fault]:
    """Yield what is wrong with a job's key: it may name parameters and nothing else."""
    known = {parameter.name for parameter in document.parameters}
    for pointer, expression in located_templates(document.concurrency_key, "/concurrency_key"):
        try:
            found = check(expression)
        except InvalidInput as fault:
            yield Fault(pointer, fault.message, "Write a CEL expression.", "expression")
            continue
        for path in (reference.path for reference in found):
            if path[0] != "params" or (len(path) > 1 and path[1] not in known):
                yield Fault(pointer, f"{'.'.join(path)!r} is not known when a run is recorded.",
                            "Use params.NAME of a declared parameter.", "unknown_name")  # fmt: skip
