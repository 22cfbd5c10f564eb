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
    from racine.definitions.document import (
        ApprovalTask,
        Check,
        Comparison,
        ConditionTask,
        Defaults,
        Dependency,
        FailurePolicy,
        FileItems,
        ForEachTask,
        Health,
        HealthMetric,
        HealthRule,
        HttpTask,
        Join,
        Metric,
        NoopTask,
        NotifyTask,
        OnBreach,
        OnTimeout,
        OperationTask,
        Parameter,
        PythonTask,
        QualityTask,
        Queue,
        RetryPolicy,
        RetryRule,
        RuleAction,
        RunIf,
        RunJobTask,
        SqlItems,
        SqlTask,
        SwitchTask,
        WaitTask,
        WhileTask,
    )
    from racine.sdk.job import JobBuilder, JobDefinition, job
    from racine.sdk.reference import cel
    from racine.sdk.tasks import Handle

_DOCUMENT = "racine.definitions.document"
_HOMES = {
    "ApprovalTask": _DOCUMENT,
    "Check": _DOCUMENT,
    "Client": "racine.client",
    "Comparison": _DOCUMENT,
    "ConditionTask": _DOCUMENT,
    "Defaults": _DOCUMENT,
    "Dependency": _DOCUMENT,
    "FailurePolicy": _DOCUMENT,
    "FileItems": _DOCUMENT,
    "ForEachTask": _DOCUMENT,
    "Handle": "racine.sdk.tasks",
    "Health": _DOCUMENT,
    "HealthMetric": _DOCUMENT,
    "HealthRule": _DOCUMENT,
    "HttpTask": _DOCUMENT,
    "JobBuilder": "racine.sdk.job",
    "JobDefinition": "racine.sdk.job",
    "Join": _DOCUMENT,
    "Metric": _DOCUMENT,
    "NoopTask": _DOCUMENT,
    "NotifyTask": _DOCUMENT,
    "OnBreach": _DOCUMENT,
    "OnTimeout": _DOCUMENT,
    "OperationTask": _DOCUMENT,
    "Parameter": _DOCUMENT,
    "PythonTask": _DOCUMENT,
    "QualityTask": _DOCUMENT,
    "Queue": _DOCUMENT,
    "RetryPolicy": _DOCUMENT,
    "RetryRule": _DOCUMENT,
    "RuleAction": _DOCUMENT,
    "RunIf": _DOCUMENT,
    "RunJobTask": _DOCUMENT,
    "SqlItems": _DOCUMENT,
    "SqlTask": _DOCUMENT,
    "SwitchTask": _DOCUMENT,
    "WaitTask": _DOCUMENT,
    "WhileTask": _DOCUMENT,
    "cel": "racine.sdk.reference",
    "job": "racine.sdk.job",
}

__all__ = [
    "ApprovalTask",
    "Check",
    "Client",
    "Comparison",
    "ConditionTask",
    "Defaults",
    "Dependency",
    "FailurePolicy",
    "FileItems",
    "ForEachTask",
    "Handle",
    "Health",
    "HealthMetric",
    "HealthRule",
    "HttpTask",
    "JobBuilder",
    "JobDefinition",
    "Join",
    "Metric",
    "NoopTask",
    "NotifyTask",
    "OnBreach",
    "OnTimeout",
    "OperationTask",
    "Parameter",
    "PythonTask",
    "QualityTask",
    "Queue",
    "RetryPolicy",
    "RetryRule",
    "RuleAction",
    "RunIf",
    "RunJobTask",
    "SqlItems",
    "SqlTask",
    "SwitchTask",
    "WaitTask",
    "WhileTask",
    "cel",
    "job",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'racine' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
