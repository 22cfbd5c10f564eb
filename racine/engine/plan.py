"""The compiled form of a job: arrays in a fixed topological order, made once when a run starts."""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, model_serializer

from racine import registry
from racine.definitions.document import (
    FailurePolicy,
    Health,
    JobDocument,
    Join,
    RetryPolicy,
    RunIf,
    Task,
    TaskKind,
)
from racine.definitions.parts import Tries
from racine.definitions.references import located_expressions, located_inputs, located_results
from racine.expressions import references, templates_in

if TYPE_CHECKING:
    import networkx as nx

PLAN_VERSION = 4
"""Raised when plans are read differently; old readings stay until no run has them.

From 2 on retry rules judge every failure of a task, not those alone that its activity reports, and
the limit of all its attempts taken together counts over all tries.
"""
PROMPT = 3
"""From this version on the log hears at once of ends and orders that no activity takes along."""

SHOWS_AT_CLOSE = 4
"""From this version on Temporal shows the end of a run as it closes, when the index has it."""

INLINE_STEPS = 100
"""Steps up to which a loop runs in the workflow of its run; larger ones get their own."""

_ONCE = RetryPolicy(maximum_attempts=1)

Read = tuple[int, list[str] | None]
"""A step whose result is read, and which of its values; None for all of them."""


class Compact(BaseModel):
    """Base of a plan's parts: what has its default is not written."""

    model_config = ConfigDict(frozen=True)

    @model_serializer(mode="wrap")
    def _without_defaults(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields = type(self).model_fields
        written: dict[str, Any] = handler(self)
        return {
            name: value
            for name, value in written.items()
            if fields[name].is_required() or getattr(self, name) != fields[name].default
        }


class Step(Compact):
    """One task of a plan; `upstream`, `downstream` and `reads` hold places among its steps."""

    key: str
    kind: str
    """One of the document's `TASK_KINDS`."""
    spec: dict[str, Any]
    upstream: list[tuple[int, str | None]] = []
    downstream: list[int] = []
    reads: list[Read] = []
    params: list[str] = []
    """Parameters that its expressions name."""
    outer: list[str] = []
    """Keys of tasks of the levels around that its expressions read."""
    templated: bool = False
    run_if: RunIf = RunIf.ALL_SUCCESS
    needs: int = 0
    """How many upstream a join asks for; 0 for all."""
    condition: str | None = None
    disabled: bool = False
    outputs: dict[str, Any] | None = None
    retry_policy: RetryPolicy | None = None
    """None: the plan's own."""
    retry_rules: list[dict[str, Any]] = []
    """With rules each attempt is a try that the workflow decides on."""
    whole: bool = False
    """Without an activity of its own, it begins again where its policy says so."""
    start_to_close_seconds: float = 600
    schedule_to_close_seconds: float | None = None
    heartbeat_seconds: float | None = None
    queue_seconds: float | None = None
    queue: str | None = None
    priority: int | None = None
    """None: the plan's own."""
    pool: str | None = None
    pool_slots: int = 1
    opens_source: bool = False
    """It may have to wait for the source that its input names."""
    body: "Plan | None" = None
    """What a loop runs for each item."""
    undo: "Plan | None" = None
    """What undoes it, once it succeeded, when the run fails or is cancelled."""

    @property
    def tried_here(self) -> bool:
        """Whether the workflow decides when it is tried again, and not Temporal."""
        return self.whole or bool(self.retry_rules)


class Plan(Compact):
    version: int = 1
    job: str
    steps: list[Step]
    outputs: dict[str, Any] = {}
    output_reads: list[Read] = []
    params: list[str] | None = None
    """Of a loop's body: parameters that one pass reads; None where nobody has looked."""
    timeout_seconds: float | None = None
    health: Health | None = None
    retry_policy: RetryPolicy = RetryPolicy()
    bundle: str | None = None
    """Digest of the code that Python tasks run."""
    priority: int = 3
    hold: bool = False
    """With failed tasks and nothing else to do, wait for a person's orders."""
    fail_fast: bool = False
    """After the first failure cancel what runs and skip the rest."""
    on_failure: "Plan | None" = None
    final: "Plan | None" = None

    @cached_property
    def undoes(self) -> bool:
        """Whether something undoes any of its tasks, at any depth."""
        return any(step.undo or (step.body and step.body.undoes) for step in self.steps)

    @property
    def burden(self) -> int:
        """How many steps one pass may take at most in the history of its workflow."""
        return sum(1 + (INLINE_STEPS if step.body else 0) for step in self.steps)


def compile_plan(document: JobDocument) -> Plan:
    """Turn a validated document into a plan, in topological order, ties by place."""
    plan = _level(document, document.tasks)
    index = {step.key: number for number, step in enumerate(plan.steps)}
    return plan.model_copy(
        update={
            "outputs": document.outputs,
            "output_reads": _reads(templates_in(document.outputs), index),
            "timeout_seconds": document.timeout_seconds,
            "health": document.health,
            "hold": document.failure_policy is FailurePolicy.HOLD,
            "fail_fast": document.failure_policy is FailurePolicy.FAIL_FAST,
            "on_failure": _level(document, document.on_failure) if document.on_failure else None,
            "final": _level(document, document.finally_) if document.finally_ else None,
        }
    )


def _level(document: JobDocument, tasks: Sequence[Task]) -> Plan:
    """Compile the tasks of one level: the document's own, or a loop's body."""
    place = {task.task_key: number for number, task in enumerate(tasks)}
    import networkx as nx  # here: 13 MB that a process which compiles nothing need not hold

    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(place)
    graph.add_edges_from((d.task_key, t.task_key) for t in tasks for d in t.depends_on)
    order = list(nx.lexicographical_topological_sort(graph, key=place.__getitem__))
    index = {key: number for number, key in enumerate(order)}
    by_key = {task.task_key: task for task in tasks}
    steps = [_step(document, by_key[key], index, graph) for key in order]
    return Plan(
        version=PLAN_VERSION,
        job=document.name,
        steps=steps,
        retry_policy=document.defaults.retry_policy,
        bundle=document.bundle,
        priority=document.priority,
    )


def _step(
    document: JobDocument, task: Task, index: dict[str, int], graph: "nx.DiGraph[str]"
) -> Step:
    kind, work = task.kinds[0], task.works[0]
    inner = work.inner()
    expressions = [expression for _, expression in located_expressions(task)]
    results = [expression for _, expression in located_results(task)]
    inside = [*_inside(inner), *results]
    return Step(
        key=task.task_key,
        kind=kind,
        spec=work.model_dump(mode="json", exclude={"tasks"}),
        upstream=[(index[d.task_key], d.outcome) for d in task.depends_on],
        downstream=sorted(index[key] for key in graph.successors(task.task_key)),
        reads=_reads([*expressions, *inside], index),
        params=_params([*expressions, *inside], document),
        outer=_outer([*expressions, *inside], {*index, *_keys(inner)}),
        templated=bool(located_inputs(task)),
        run_if=task.run_if,
        needs=task.join_count or int(task.join is Join.ANY),
        condition=task.condition,
        disabled=task.disabled,
        outputs=task.outputs,
        retry_policy=_policy(document, task, work),
        retry_rules=[rule.model_dump(mode="json") for rule in task.retry_rules],
        whole=task.retry_policy is not None and work.tries is Tries.WHOLE,
        start_to_close_seconds=_attempt_seconds(document, task),
        schedule_to_close_seconds=(
            task.schedule_to_close_timeout_seconds
            or document.defaults.schedule_to_close_timeout_seconds
        ),
        queue_seconds=task.queue_timeout_seconds or document.defaults.queue_timeout_seconds,
        queue=task.task_queue or document.defaults.task_queue,
        priority=task.priority,
        heartbeat_seconds=(
            task.heartbeat_timeout_seconds or document.defaults.heartbeat_timeout_seconds
        ),
        pool=task.pool,
        pool_slots=task.pool_slots,
        opens_source=_opens_source(task),
        body=_body(document, inner, results) if inner else None,
        undo=_level(document, task.compensate_with) if task.compensate_with else None,
    )


def _policy(document: JobDocument, task: Task, work: TaskKind) -> RetryPolicy | None:
    """Return how a task is tried again; None for the job's way, unless rules have to know it."""
    once = work.once or (work.tries is not Tries.ATTEMPTS and task.retry_rules)
    own = task.retry_policy or (_ONCE if once else None)
    return own or (document.defaults.retry_policy if task.retry_rules else None)


def _body(document: JobDocument, tasks: Sequence[Task], results: list[str]) -> Plan:
    plan = _level(document, tasks)
    index = {step.key: number for number, step in enumerate(plan.steps)}
    params = _params([*_inside(tasks), *results], document)
    return plan.model_copy(update={"output_reads": _reads(results, index), "params": params})


def _keys(tasks: Sequence[Task]) -> list[str]:
    """Return the keys of tasks and of all tasks in their bodies."""
    bodies = _bodies(tasks)
    return [*(task.task_key for task in tasks), *(key for body in bodies for key in _keys(body))]


def _bodies(tasks: Sequence[Task]) -> list[Sequence[Task]]:
    """Return what is inside tasks of a loop: loops' bodies, and what undoes tasks."""
    inner = [work.inner() for task in tasks for work in task.works]
    return [*inner, *(task.compensate_with for task in tasks)]


def _inside(tasks: Sequence[Task]) -> list[str]:
    """Return the expressions of tasks and of all tasks in their bodies."""
    bodies = _bodies(tasks)
    own = [expression for task in tasks
           for _, expression in (*located_expressions(task), *located_results(task))]  # fmt: skip
    return [*own, *(expression for body in bodies for expression in _inside(body))]


def _outer(expressions: list[str], known: set[str]) -> list[str]:
    paths = (r.path for expression in expressions for r in references(expression))
    return sorted({p[1] for p in paths if p[0] == "tasks" and len(p) > 1 and p[1] not in known})


def _reads(expressions: list[str], index: dict[str, int]) -> list[Read]:
    """Return which values of which steps the expressions read, by place."""
    found: dict[int, list[str] | None] = {}
    for reference in (r for expression in expressions for r in references(expression)):
        root, *path = reference.path
        if root != "tasks" or not path or path[0] not in index:
            continue
        known = found.setdefault(index[path[0]], [])
        if known is None or len(path) == 1 or path[1:] == ["values"]:
            found[index[path[0]]] = None
        elif path[1] == "values" and path[2] not in known:
            known.append(path[2])
    return sorted(found.items())


def _params(expressions: list[str], document: JobDocument) -> list[str]:
    """Return the parameters the expressions name: all of them where `params` stands alone."""
    paths = [r.path for expression in expressions for r in references(expression)]
    named = [path[1] for path in paths if path[0] == "params" and len(path) > 1]
    if ("params",) in paths:
        named = [parameter.name for parameter in document.parameters]
    return sorted(set(named))


def _opens_source(task: Task) -> bool:
    if task.sql_task is not None:
        return True
    spec = task.operation_task
    operation = registry.operations().get(spec.operation) if spec else None
    return operation is not None and operation.opens_source


def _attempt_seconds(document: JobDocument, task: Task) -> float:
    """Return an attempt's time limit: the task's word, the job's, the operation's, or Racine's."""
    if task.start_to_close_timeout_seconds is not None:
        return task.start_to_close_timeout_seconds
    if task.works[0].seconds is not None:
        return task.works[0].seconds
    explicit = "start_to_close_timeout_seconds" in document.defaults.model_fields_set
    if task.operation_task is not None and not explicit:
        operation = registry.operations().get(task.operation_task.operation)
        if operation is not None:
            return operation.timeout_seconds
    return document.defaults.start_to_close_timeout_seconds
