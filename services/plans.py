"""Compiled plans of job versions: a version never changes, so its plan is made once a process."""

import threading
from collections import OrderedDict
from typing import Any

from racine.definitions.document import JobDocument
from racine.engine.plan import Plan, compile_plan

_KEPT = 64
"""A plan of 1,000 tasks takes about 3 MB."""

_plans: OrderedDict[str, tuple[JobDocument, Plan]] = OrderedDict()
_lock = threading.Lock()


def compiled(content_hash: str, document: dict[str, Any]) -> tuple[JobDocument, Plan]:
    """Return the typed document of that content and its plan."""
    with _lock:
        found = _plans.get(content_hash)
        if found is not None:
            _plans.move_to_end(content_hash)
            return found
    typed = JobDocument.model_validate(document)
    made = typed, compile_plan(typed)
    with _lock:
        _plans[content_hash] = made
        while len(_plans) > _KEPT:
            _plans.popitem(last=False)
    return made
