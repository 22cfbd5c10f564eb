"""Racine in Python: write jobs, try them here, deploy and run them.

    import racine

    @racine.job()
    def greet(job: racine.JobBuilder, name: str = "world") -> None:
        hello = job.task("hello").operation(NOOP, Echo, value=f"hello {name}")
        job.returns(text=hello.values.value)

Everything is imported when it is first used: importing Racine itself costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from racine.client import Client
    from racine.definitions.document import Defaults, Dependency, Parameter, RetryPolicy, RunIf
    from racine.sdk.job import JobBuilder, JobDefinition, job
    from racine.sdk.reference import cel
    from racine.sdk.tasks import Handle

_HOMES = {
    "Client": "racine.client",
    "Defaults": "racine.definitions.document",
    "Dependency": "racine.definitions.document",
    "Handle": "racine.sdk.tasks",
    "JobBuilder": "racine.sdk.job",
    "JobDefinition": "racine.sdk.job",
    "Parameter": "racine.definitions.document",
    "RetryPolicy": "racine.definitions.document",
    "RunIf": "racine.definitions.document",
    "cel": "racine.sdk.reference",
    "job": "racine.sdk.job",
}

__all__ = [
    "Client",
    "Defaults",
    "Dependency",
    "Handle",
    "JobBuilder",
    "JobDefinition",
    "Parameter",
    "RetryPolicy",
    "RunIf",
    "cel",
    "job",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'racine' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
