"""The sandbox that workflow code runs in: orders come last, and payloads cost little."""

from dataclasses import dataclass
from typing import Any

from temporalio import workflow
from temporalio.bridge.proto.workflow_activation import WorkflowActivation, WorkflowActivationJob
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.converter import StorageDriverStoreContext
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

_ORDERS_LAST = 1_000_001
"""Stands among the flags of a history that was written so; those of the SDK count up from 1."""


class _Instance(WorkflowInstance):
    """A sandboxed workflow that hears orders last, and whose payloads are converted all alike.

    Temporal asks for a payload's context several times, and each answer compiles and enters the
    sandbox anew: half of a workflow worker's processor time. Only codecs, converters and external
    storage that tell contexts apart need it; `models.temporal.connect` sets none.
    """

    def __init__(self, inner: WorkflowInstance) -> None:
        self._inner = inner

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        """Let what happened take its course before the orders that came with it are heard.

        A worker that takes a run over may be handed an order together with what an earlier worker
        had seen without anything to do; whoever replays the run is handed them apart
        (github.com/temporalio/sdk-python/issues/1591). In this order both come to the same.
        """
        known = _ORDERS_LAST in act.available_internal_flags
        if act.is_replaying and not known:
            return self._inner.activate(act)
        completion = self._one_by_one(act)
        if not known and completion.HasField("successful"):
            completion.successful.used_internal_flags.append(_ORDERS_LAST)
        return completion

    def _one_by_one(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        orders = [job for job in act.jobs if job.HasField("do_update")]
        if not orders or len(orders) == len(act.jobs):
            return self._inner.activate(act)
        happened = [job for job in act.jobs if not job.HasField("do_update")]
        completion = self._inner.activate(_with(act, happened))
        if not completion.HasField("successful"):
            return completion
        after = self._inner.activate(_with(act, orders))
        if not after.HasField("successful"):
            return after
        completion.successful.MergeFrom(after.successful)
        return completion

    def get_info(self) -> workflow.Info:
        return self._inner.get_info()

    def get_thread_id(self) -> int | None:
        return self._inner.get_thread_id()

    def get_serialization_context(self, command_info: Any) -> None:
        return None

    def get_external_store_context(self, command_info: Any) -> StorageDriverStoreContext:
        return StorageDriverStoreContext(target=None)


def _with(act: WorkflowActivation, jobs: list[WorkflowActivationJob]) -> WorkflowActivation:
    part = WorkflowActivation()
    part.CopyFrom(act)
    del part.jobs[:]
    part.jobs.extend(jobs)
    return part


_SHARED = SandboxRestrictions.default.with_passthrough_modules(
    "racine", "models", "activities", "cel_expr_python", "jsonschema_rs", "networkx"
)


@dataclass(frozen=True)
class Sandbox(SandboxedWorkflowRunner):
    """Pure modules and what they load late are shared between workflows, not copied."""

    restrictions: SandboxRestrictions = _SHARED

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        return _Instance(super().create_instance(det))
