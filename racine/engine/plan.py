"""The compiled form of a job: arrays in a fixed topological order, made once when a run starts."""

from typing import Any, Literal

import networkx as nx
from pydantic import BaseModel, ConfigDict

from racine.definitions.document import TASK_KINDS, JobDocument, RetryPolicy, RunIf, Task
from racine.expressions import task_references, templates_in

PLAN_VERSION = 1
"""Raised when plans are read differently; old readings stay until no run has them."""

Kind = Literal["operation_task", "python_task", "condition_task", "noop_task"]


class Step(BaseModel):
    """One task of a plan; `upstream` and `reads` hold indices into the plan's steps."""

    model_config = ConfigDict(frozen=True)

    key: str
    kind: Kind
    spec: dict[str, Any]
    upstream: list[tuple[int, str | None]] = []
    downstream: list[int] = []
    reads: list[int] = []
    run_if: RunIf = RunIf.ALL_SUCCESS
    disabled: bool = False
    outputs: dict[str, Any] | None = None
    retry_policy: RetryPolicy
    start_to_close_seconds: float
    schedule_to_close_seconds: float | None = None
    heartbeat_seconds: float | None = None


class Plan(BaseModel):
    model_config = ConfigDict(frozen=True)

    version: int = PLAN_VERSION
    job: str
    steps: list[Step]
    outputs: dict[str, Any] = {}
    timeout_seconds: float | None = None


def compile_plan(document: JobDocument) -> Plan:
    """Turn a validated document into a plan, in topological order, ties by place."""
    place = {task.task_key: number for number, task in enumerate(document.tasks)}
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(place)
    graph.add_edges_from((d.task_key, t.task_key) for t in document.tasks for d in t.depends_on)
    order = list(nx.lexicographical_topological_sort(graph, key=place.__getitem__))
    index = {key: number for number, key in enumerate(order)}
    tasks = {task.task_key: task for task in document.tasks}
    steps = [_step(document, tasks[key], index, graph) for key in order]
    return Plan(
        job=document.name,
        steps=steps,
        outputs=document.outputs,
        timeout_seconds=document.timeout_seconds,
    )


def _step(
    document: JobDocument, task: Task, index: dict[str, int], graph: "nx.DiGraph[str]"
) -> Step:
    kind = next(kind for kind in TASK_KINDS if getattr(task, kind) is not None)
    spec = getattr(task, kind).model_dump(mode="json")
    expressions = [spec["expression"]] if kind == "condition_task" else templates_in(spec)
    reads = sorted({index[key] for e in expressions for key in task_references(e) if key in index})
    defaults = document.defaults
    return Step(
        key=task.task_key,
        kind=kind,
        spec=spec,
        upstream=[(index[d.task_key], d.outcome) for d in task.depends_on],
        downstream=sorted(index[key] for key in graph.successors(task.task_key)),
        reads=reads,
        run_if=task.run_if,
        disabled=task.disabled,
        outputs=task.outputs,
        retry_policy=task.retry_policy or defaults.retry_policy,
        start_to_close_seconds=(
            task.start_to_close_timeout_seconds or defaults.start_to_close_timeout_seconds
        ),
        schedule_to_close_seconds=task.schedule_to_close_timeout_seconds,
        heartbeat_seconds=task.heartbeat_timeout_seconds or defaults.heartbeat_timeout_seconds,
    )
