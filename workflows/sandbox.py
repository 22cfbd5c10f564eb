"""The sandbox that workflow code runs in, without its cost for every payload."""

from dataclasses import dataclass
from typing import Any

from temporalio import workflow
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.converter import StorageDriverStoreContext
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions


class _Instance(WorkflowInstance):
    """A sandboxed workflow whose payloads are converted alike, whatever command they belong to.

    Temporal asks for a payload's context several times, and each answer compiles and enters the
    sandbox anew: half of a workflow worker's processor time. Only codecs, converters and external
    storage that tell contexts apart need it; `models.temporal.connect` sets none.
    """

    def __init__(self, inner: WorkflowInstance) -> None:
        self._inner = inner

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        return self._inner.activate(act)

    def get_info(self) -> workflow.Info:
        return self._inner.get_info()

    def get_thread_id(self) -> int | None:
        return self._inner.get_thread_id()

    def get_serialization_context(self, command_info: Any) -> None:
        return None

    def get_external_store_context(self, command_info: Any) -> StorageDriverStoreContext:
        return StorageDriverStoreContext(target=None)


_SHARED = SandboxRestrictions.default.with_passthrough_modules(
    "racine", "models", "activities", "cel_expr_python", "jsonschema_rs", "networkx"
)


@dataclass(frozen=True)
class Sandbox(SandboxedWorkflowRunner):
    """Pure modules and what they load late are shared between workflows, not copied."""

    restrictions: SandboxRestrictions = _SHARED

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        return _Instance(super().create_instance(det))
