"""Faults of single tasks: their kind, their operation and its input, retries and time limits."""

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import ValidationError

from racine import registry
from racine.definitions.document import TASK_KINDS, Defaults, Join, RetryPolicy
from racine.definitions.graph import did_you_mean
from racine.definitions.parts import Tries
from racine.definitions.retry_rules import RuleAction, rule_faults
from racine.definitions.schemas import pointer_of, schema_fault
from racine.definitions.scope import Placed
from racine.definitions.types import output_faults
from racine.errors import Fault
from racine.expressions import has_template

_OF_WORKERS = ("task_queue", "queue_timeout_seconds", "heartbeat_timeout_seconds")


def task_faults(placed: Placed, defaults: Defaults) -> Iterator[Fault]:
    yield from _kind_faults(placed)
    yield from _operation_faults(placed)
    yield from _limit_faults(placed, defaults)
    yield from _join_faults(placed)
    yield from rule_faults(placed.task.retry_rules, f"{placed.pointer}/retry_rules")
    yield from _pool_faults(placed)
    for kind, work in placed.task.by_kind.items():
        yield from work.faults(f"{placed.pointer}/{kind}")
    if placed.task.outputs is not None and (fault := schema_fault(placed.task.outputs)):
        yield Fault(f"{placed.pointer}/outputs", f"This is not a usable JSON Schema: {fault}.",
                    "See json-schema.org, draft 2020-12; references stay inside the schema.",
                    "schema")  # fmt: skip
    else:
        yield from output_faults(placed)


def _kind_faults(placed: Placed) -> Iterator[Fault]:
    kinds = placed.task.kinds
    if len(kinds) == 1:
        return
    what = f"It has {' and '.join(kinds)}." if kinds else "It says nothing to do."
    yield Fault(
        placed.pointer,
        f"Task {placed.key!r} needs exactly one kind. {what}",
        f"Give it one of: {', '.join(TASK_KINDS)}.",
        "task_kind",
    )


def _operation_faults(placed: Placed) -> Iterator[Fault]:
    spec = placed.task.operation_task
    if spec is None:
        return
    pointer = f"{placed.pointer}/operation_task"
    known = registry.operations()
    if spec.operation not in known:
        yield Fault(f"{pointer}/operation", f"There is no operation {spec.operation!r}.",
                    did_you_mean(spec.operation, known), "unknown_operation")  # fmt: skip
        return
    try:
        known[spec.operation].input.model_validate(spec.input)
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_input=False):
            unknown = fault["type"] == "extra_forbidden"
            # No value makes a field known: there a template above alone is waited for.
            path = fault["loc"][:-1] if unknown else fault["loc"]
            if not _waits_for_template(spec.input, path):
                yield Fault(
                    f"{pointer}/input{pointer_of(fault['loc'])}",
                    f"{spec.operation}: {fault['msg']}.",
                    "GET /api/racine/operations shows the input it takes.",
                    fault["type"],
                )


def _waits_for_template(given: Any, path: Sequence[int | str]) -> bool:
    """Tell whether what is at a path, or above it, is only known when the run resolves it."""
    for part in path:
        if has_template(given):
            return True
        try:
            given = given[part]
        except (KeyError, IndexError, TypeError):
            return False
    return has_template(given)


def _join_faults(placed: Placed) -> Iterator[Fault]:
    task, upstream = placed.task, len(placed.task.depends_on)
    if (task.join is Join.N_OF) != (task.join_count is not None):
        yield Fault(f"{placed.pointer}/join_count", "join_count goes with join n_of, and only so.",
                    "Give both or neither.", "join")  # fmt: skip
    elif (task.join_count or int(task.join is Join.ANY)) > upstream:
        yield Fault(f"{placed.pointer}/join_count",
                    f"It joins {task.join_count or 1} of {upstream} upstream tasks.",
                    "Ask for fewer, or add to depends_on.", "join")  # fmt: skip


def _limit_faults(placed: Placed, defaults: Defaults) -> Iterator[Fault]:
    task = placed.task
    if task.retry_policy is not None:
        yield from retry_faults(task.retry_policy, f"{placed.pointer}/retry_policy")
    for kind, work in task.by_kind.items():
        yield from _tries_faults(placed, kind, work.tries)
        if work.tries is not Tries.ATTEMPTS:
            yield from _worker_faults(placed, kind)
    whole = task.start_to_close_timeout_seconds or defaults.start_to_close_timeout_seconds
    heartbeat = task.heartbeat_timeout_seconds
    if heartbeat is not None and heartbeat > whole:
        yield Fault(
            f"{placed.pointer}/heartbeat_timeout_seconds",
            f"The heartbeat timeout of {heartbeat:g} s is longer than an attempt's {whole:g} s.",
            "Shorten it, or raise start_to_close_timeout_seconds.",
            "timeout",
        )


def _worker_faults(placed: Placed, kind: str) -> Iterator[Fault]:
    """Yield what is said about the worker of a task that no worker carries out."""
    for name in _OF_WORKERS:
        if getattr(placed.task, name) is not None:
            yield Fault(f"{placed.pointer}/{name}", f"No worker carries out a {kind} itself.",
                        "Remove it, or give it to the tasks in it that do the work.",
                        "no_worker")  # fmt: skip


def _tries_faults(placed: Placed, kind: str, tries: Tries) -> Iterator[Fault]:
    """Yield what would have a task tried again for which that does nothing."""
    task = placed.task
    if task.retry_policy is not None and tries is Tries.ASKED:
        yield Fault(f"{placed.pointer}/retry_policy", f"People's answer to a {kind} is no fault.",
                    "Have them asked again by a retry rule: when error.code == 'timed_out'.",
                    "retry")  # fmt: skip
    if tries is not Tries.NEVER:
        return
    message = f"Trying this {kind} again would end as before: it does nothing that could pass."
    if task.retry_policy is not None:
        yield Fault(f"{placed.pointer}/retry_policy", message, "Remove it.", "retry")
    for number, rule in enumerate(task.retry_rules):
        if rule.action is RuleAction.RETRY:
            yield Fault(f"{placed.pointer}/retry_rules/{number}/action", message,
                        "Take SKIP, FAIL or HOLD.", "retry")  # fmt: skip


def _pool_faults(placed: Placed) -> Iterator[Fault]:
    task = placed.task
    if task.pool is not None and not all(work.POOLED for work in task.works):
        yield Fault(
            f"{placed.pointer}/pool",
            f"A {task.kinds[0]} does nothing itself that could take slots of a pool.",
            "Give the pool to the tasks in it that do the work.",
            "pool",
        )
    if task.pool is None and "pool_slots" in task.model_fields_set:
        yield Fault(f"{placed.pointer}/pool_slots", "It takes slots of no pool.",
                    "Name the pool, or leave pool_slots out.", "pool")  # fmt: skip


def retry_faults(policy: RetryPolicy, pointer: str) -> Iterator[Fault]:
    if policy.maximum_interval_seconds < policy.initial_interval_seconds:
        yield Fault(
            f"{pointer}/maximum_interval_seconds",
            "The longest interval between retries is shorter than the first.",
            "Raise it to initial_interval_seconds at least.",
            "retry_policy",
        )
