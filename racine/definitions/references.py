"""Faults of a task's expressions: syntax, unknown names, and what is not upstream of the reader."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from racine.definitions.document import Join, RunIf, Task
from racine.definitions.graph import did_you_mean
from racine.definitions.scope import Placed, Scope
from racine.definitions.types import (
    Declared,
    find,
    text_fault,
    typed_inputs,
    values_of,
)
from racine.errors import Fault, InvalidInput
from racine.expression_tree import Reference
from racine.expression_types import CONDITION, LIST, Wanted
from racine.expressions import (
    CONTEXTS,
    broken_templates,
    check,
    has_template,
    is_template,
    located_templates,
    references,
)

RUN_FIELDS = ("id", "job", "workspace", "start_time", "logical_time", "state")
TASK_FIELDS = ("values", "state", "error", "outcome")
_IN_LOOPS = ("item", "item_index", "outer", "iteration")


@dataclass
class Names:
    """What the expressions of one place may refer to."""

    scope: Scope
    declared: Declared
    hints: list[Fault] = field(default_factory=list)

    def within(self, scope: Scope) -> "Names":
        """Return what may be referred to in another level of the same document."""
        return Names(scope, self.declared, self.hints)


def located_expressions(task: Task, pointer: str = "") -> list[tuple[str, str]]:
    """Return every expression of a task with the JSON pointer of the text that holds it."""
    found = located_inputs(task, pointer)
    if task.condition is not None:
        found.append((f"{pointer}/condition", task.condition))
    return found


def located_inputs(task: Task, pointer: str = "") -> list[tuple[str, str]]:
    """Return the expressions of what a task does, without those that decide whether it does."""
    found: list[tuple[str, str]] = []
    for kind, work in task.by_kind.items():
        for name, value in work.templated().items():
            found += located_templates(value, f"{pointer}/{kind}/{name}")
        found += [(f"{pointer}/{kind}/{name}", getattr(work, name)) for name in work.CONDITIONS]
    return found


def reference_faults(names: Names, placed: Placed) -> Iterator[Fault]:
    """Yield what is wrong with the expressions of one task; hints go to `names.hints`."""
    task = placed.task
    if task.compensate_with and names.scope.comes_after:
        yield Fault(f"{placed.pointer}/compensate_with", "What comes after the job is not undone.",
                    "Put it on a task of the job, or of a loop in it.",
                    "compensate_with")  # fmt: skip
    for text in broken_templates(_templated(task)):
        yield Fault(placed.pointer, f"{text!r} opens or closes a template without its partner.",
                    "Write {{ expression }}.", "broken_template")  # fmt: skip
    wanted = _wanted(placed)
    for pointer, text, takes in typed_inputs(placed):
        if is_template(text):
            wanted[pointer] = takes
        elif fault := text_fault(pointer, text, takes):
            yield fault
    for pointer, expression in located_expressions(task, placed.pointer):
        yield from expression_faults(names, expression, pointer, placed.key, wanted.get(pointer))


def _wanted(placed: Placed) -> dict[str, Wanted]:
    """Return the places of a task that only take values of some types, by pointer."""
    task, pointer = placed.task, placed.pointer
    wanted = {f"{pointer}/condition": CONDITION} if task.condition is not None else {}
    for kind, work in task.by_kind.items():
        wanted.update({f"{pointer}/{kind}/{name}": CONDITION for name in work.CONDITIONS})
        if kind == "for_each_task":
            wanted[f"{pointer}/{kind}/inputs"] = LIST
    return wanted


def _templated(task: Task) -> list[Any]:
    """Return the parts of a task in which templates may stand."""
    return [value for work in task.works for value in work.templated().values()]


def located_results(task: Task, pointer: str = "") -> list[tuple[str, str]]:
    """Return the expressions that a loop asks over the tasks inside it."""
    found: list[tuple[str, str]] = []
    for kind, work in task.by_kind.items():
        for name in work.RESULTS:
            value, place = getattr(work, name), f"{pointer}/{kind}/{name}"
            if has_template(value):
                found += located_templates(value, place)
            elif value is not None:
                found.append((place, value))
    return found


def result_faults(names: Names, owner: Placed) -> Iterator[Fault]:
    """Yield what is wrong with what a loop asks over the tasks inside it."""
    if names.scope.undoes:
        return
    for pointer, expression in located_results(owner.task, owner.pointer):
        wanted = CONDITION if pointer.endswith("/condition") else None
        yield from expression_faults(names, expression, pointer, None, wanted)


def expression_faults(
    names: Names, expression: str, pointer: str, reader: str | None, wanted: Wanted | None = None
) -> Iterator[Fault]:
    """Yield the faults of one expression; `reader` None is the job's end, which reads any task.

    Those of its types, and of the type that is `wanted`, are left to `names.declared`.
    """
    try:
        found = references(expression)
        unknown = [r.path[0] for r in found if r.path[0] not in _known(names.scope)]
        if not unknown:
            check(expression, _contexts(names.scope))
    except InvalidInput as fault:
        yield Fault(pointer, fault.message, "Write a CEL expression.", "expression")
        return
    tested = {reference.path for reference in found if reference.tested}
    if not unknown:
        names.declared.ask(names.scope, pointer, expression, found, wanted)
    for reference in found:
        problem = _problem(names, reference, reader) or _field_problem(names, reference)
        if problem:
            yield Fault(pointer, *problem)
        elif reader and not reference.tested and _untested(names.scope, reference, reader, tested):
            names.hints.append(_hint(pointer, reference))
        elif reader and reference.path not in tested and _optional(names, reference):
            names.hints.append(_optional_hint(pointer, reference))


def _known(scope: Scope) -> tuple[str, ...]:
    return ("params", "tasks", "run", *scope.variables)


def _contexts(scope: Scope) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*CONTEXTS, *scope.variables]))


def _problem(names: Names, reference: Reference, reader: str | None) -> tuple[str, ...] | None:
    root, *rest = reference.path
    if root in names.scope.variables:
        return None
    if root in _IN_LOOPS:
        return (f"{root!r} means something only in the body of a loop.", "Use params or tasks.",
                "unknown_name")  # fmt: skip
    if root not in _known(names.scope):
        return f"There is no {root!r}.", did_you_mean(root, _known(names.scope)), "unknown_name"
    if root == "tasks":
        return _task_problem(names.scope, reference, reader)
    known = {"params": list(names.declared.parameters), "run": RUN_FIELDS}[root]
    if not rest or rest[0] in known:
        return None
    kind = "parameter" if root == "params" else "field of run"
    return f"There is no {kind} {rest[0]!r}.", did_you_mean(rest[0], known), "unknown_name"


def _task_problem(scope: Scope, reference: Reference, reader: str | None) -> tuple[str, ...] | None:
    path = reference.path
    if len(path) < 2:
        return "A reference names its task.", "Write tasks.KEY.values.FIELD.", "unnamed_task"
    key = path[1]
    if key in scope.broken:
        return None
    if key not in scope.keys and scope.outer is not None:
        if scope.undoes and key == scope.owner:
            return _output_problem(scope.outer.keys[key], path)
        return _task_problem(scope.outer, reference, scope.owner)
    if key not in scope.keys:
        return f"There is no task {key!r} here.", did_you_mean(key, scope.keys), "unknown_task"
    if reader in scope.ancestors and not scope.is_upstream(key, reader):
        return (f"Task {key!r} is not upstream of {reader!r}, so it may not have run yet.",
                f"Add {{\"task_key\": \"{key}\"}} to its depends_on.", "not_upstream")  # fmt: skip
    if len(path) > 2 and path[2] not in TASK_FIELDS:
        return (f"A task has no {path[2]!r}.", did_you_mean(path[2], TASK_FIELDS),
                "unknown_name")  # fmt: skip
    return _output_problem(scope.keys[key], path)


def _output_problem(placed: Placed, path: tuple[str, ...]) -> tuple[str, ...] | None:
    shape = values_of(placed)
    declared = shape.names if shape else None
    if declared is None or len(path) < 4 or path[2] != "values" or path[3] in declared:
        return None
    return (f"Task {path[1]!r} has no output {path[3]!r}.", did_you_mean(path[3], declared),
            "undeclared_output")  # fmt: skip


def _field_problem(names: Names, reference: Reference) -> tuple[str, ...] | None:
    """Tell a field that is not among those which an object declares."""
    path = reference.path
    length, shape = names.declared.walk(names.scope, path)
    known = shape.names if shape and shape.kind == "object" else None
    if known is None or length >= len(path) or path[length] in known:
        return None
    return (f"{'.'.join(path[:length])} has no field {path[length]!r}.",
            did_you_mean(path[length], known), "undeclared_field")  # fmt: skip


def _untested(
    scope: Scope, reference: Reference, reader: str, tested: set[tuple[str, ...]]
) -> bool:
    """Tell whether an expression counts on the values of a task that may not have run."""
    path = reference.path
    if len(path) < 4 or path[0] != "tasks" or path[2] != "values" or path[1] not in scope.keys:
        return False
    if any(path[: len(known)] == known for known in tested):
        return False
    return _may_lack_values(scope, path[1], reader)


def _may_lack_values(scope: Scope, key: str, reader: str) -> bool:
    """A failure lets a lenient reader run; a branch not taken lets one run that joins after it."""
    task, source = scope.keys[reader].task, scope.keys[key].task
    if task.run_if is not RunIf.ALL_SUCCESS or task.join is not Join.ALL:
        return True
    branch = source.disabled or source.condition is not None
    branch = branch or any(edge.outcome for edge in source.depends_on)
    return branch and len(task.depends_on) > 1


def _optional(names: Names, reference: Reference) -> bool:
    """Tell whether a task's declared outputs may leave out what an expression reads."""
    path = reference.path
    if len(path) < 4 or path[0] != "tasks" or path[2] != "values":
        return False
    placed = find(names.scope, path[1])
    values = values_of(placed) if placed else None
    if values is None or values.required is None:
        return False
    return path[3] in (values.names or ()) and path[3] not in values.required


def _optional_hint(pointer: str, reference: Reference) -> Fault:
    path = ".".join(reference.path)
    return Fault(
        pointer,
        f"{path} may be missing: the outputs of {reference.path[1]!r} do not require it.",
        f"Write has({path}) ? {path} : a default, or add it to their `required`.",
        "has",
    )


def _hint(pointer: str, reference: Reference) -> Fault:
    path = ".".join(reference.path)
    return Fault(
        pointer,
        f"{path} is missing when task {reference.path[1]!r} did not run.",
        f"Write has({path}) ? {path} : a default.",
        "has",
    )
