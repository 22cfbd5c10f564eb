"""What is declared of the values that expressions read, and the expressions that do not fit it.

Operations declare their results, tasks their `outputs`, the job its parameters; what nobody
declares may be anything. A name that an expression asks for with `has()` is not judged there.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from racine import registry
from racine.definitions.document import ForEachTask, Parameter
from racine.definitions.graph import did_you_mean
from racine.definitions.parts import TaskKind
from racine.definitions.schemas import pointer_of
from racine.definitions.scope import Placed, Scope
from racine.errors import Fault
from racine.expression_tree import Reference
from racine.expression_types import CONVERT, Wanted
from racine.expression_types import Names as Typed
from racine.expressions import CONTEXTS, has_template, is_template, references, templates_in
from racine.json_shapes import Shape, or_null, seen, shape_of

_TEXT, _NUMBER = shape_of({"type": "string"}), shape_of({"type": "integer"})
_COUNTED = ("item_index", "iteration")


@dataclass(frozen=True)
class _Asked:
    pointer: str
    expression: str
    reads: Sequence[str]
    tests: bool
    wanted: Wanted | None


@dataclass
class Declared:
    """The expressions of one document with what is known of their names, to be judged together."""

    parameters: Mapping[str, Parameter]
    _asked: list[_Asked] = field(default_factory=list)
    _roots: dict[str, None] = field(default_factory=lambda: dict.fromkeys(CONTEXTS))
    _shapes: dict[str, Shape | None] = field(default_factory=dict)
    """None where levels of one name know different things of it."""
    _tested: set[str] = field(default_factory=set)

    def ask(
        self,
        scope: Scope,
        pointer: str,
        expression: str,
        found: Sequence[Reference],
        wanted: Wanted | None,
    ) -> None:
        """Take note of an expression that is sound but for its types."""
        self._roots |= dict.fromkeys(scope.variables)
        tested = {".".join(reference.path) for reference in found if reference.tested}
        self._tested |= tested
        reads = []
        for reference in found:
            length, shape = self.walk(scope, reference.path)
            if shape is not None and shape.kind and not reference.tested:
                name = ".".join(reference.path[:length])
                known = self._shapes.setdefault(name, shape)
                if known is not None and known.schema != shape.schema:
                    self._shapes[name] = None
                reads.append(name)
        if reads or wanted:
            self._asked.append(_Asked(pointer, expression, reads, bool(tested), wanted))

    def walk(self, scope: Scope, path: Sequence[str]) -> tuple[int, Shape | None]:
        """Return how much of a path is known, and the shape of what stands there."""
        length, shape = self._base(scope, path)
        while shape is not None and length < len(path) and shape.kind == "object":
            inner = shape.field(path[length])
            if inner is None:
                return length, shape if shape.names is not None else None
            length, shape = length + 1, inner
        return length, shape

    def faults(self) -> Iterator[Fault]:
        """Yield the expressions whose types do not go together."""
        known = {name: shape for name, shape in self._shapes.items() if shape is not None}
        roots = tuple(self._roots)
        plain = Typed(roots, known)
        tested = Typed(roots, {n: s for n, s in known.items() if n not in self._tested})
        for asked in self._asked:
            names = tested if asked.tests else plain
            yield from names.faults(asked.expression, asked.pointer, asked.reads, asked.wanted)

    def _base(self, scope: Scope, path: Sequence[str]) -> tuple[int, Shape | None]:
        root, *rest = path
        if root in scope.variables:
            if root in _COUNTED:
                return 1, _NUMBER
            return 1, self._item(scope, root) if root != "outer" else None
        if root == "run":
            return 2, _TEXT if rest else None
        if root == "params" and rest and rest[0] in self.parameters:
            return 2, _parameter(self.parameters[rest[0]])
        if root == "tasks" and len(rest) > 1:
            return self._of_task(scope, path)
        return len(path), None

    def _of_task(self, scope: Scope, path: Sequence[str]) -> tuple[int, Shape | None]:
        if path[2] in ("state", "outcome"):
            return 3, _TEXT
        placed = find(scope, path[1])
        if path[2] != "values" or len(path) < 4 or placed is None:
            return len(path), None
        values = values_of(placed)
        return 4, values.field(path[3]) if values else None

    def _item(self, scope: Scope, name: str) -> Shape | None:
        """Return the shape of an item, by the innermost loop around that calls it so."""
        inner: Scope | None = scope
        while inner is not None and inner.outer is not None:
            owner = inner.outer.keys.get(inner.owner or "")
            loop = owner.task.for_each_task if owner and not inner.undoes else None
            if loop is not None and name in ("item", loop.item):
                return self._items(inner.outer, loop)
            inner = inner.outer
        return None

    def _items(self, scope: Scope, loop: ForEachTask) -> Shape | None:
        found = self._each(scope, loop.inputs)
        if found is None or loop.batch_size is None:
            return found
        return Shape({"type": "array", "items": found.schema}, found.root)

    def _each(self, scope: Scope, inputs: Any) -> Shape | None:
        if isinstance(inputs, list):
            return seen(inputs, has_template)
        if not isinstance(inputs, str) or not is_template(inputs):
            return None
        text = templates_in(inputs)[0]
        path = next((r.path for r in references(text) if ".".join(r.path) == text), None)
        length, shape = self.walk(scope, path) if path else (0, None)
        return shape.element() if shape and path and length == len(path) else None


def output_faults(placed: Placed) -> Iterator[Fault]:
    """Yield what a task declares as its outputs that it can never give."""
    outputs, pointer = placed.task.outputs or {}, f"{placed.pointer}/outputs"
    kind = outputs.get("type", "object")
    if kind != "object" and not (isinstance(kind, list) and "object" in kind):
        yield Fault(f"{pointer}/type", f"A task's values have names: they are never {kind}.",
                    "Describe an object with the values as its properties.", "outputs")  # fmt: skip
        return
    given, properties = _gives(placed), outputs.get("properties")
    if given is None or not isinstance(properties, Mapping):
        return
    for name in properties:
        if name not in given:
            yield Fault(f"{pointer}/properties{pointer_of([name])}",
                        f"A {placed.kind} never gives {name!r}.",
                        did_you_mean(name, given), "outputs")  # fmt: skip


def _gives(placed: Placed) -> Collection[str] | None:
    """Return the names of all values that a task can have; None where they may be any."""
    spec = placed.task.operation_task
    if spec is not None:
        result = _result_of(spec.operation)
        return result.names if result else None
    if placed.kind is None or placed.task.sql_task is not None:
        return None  # the columns of a statement are not known here
    return placed.task.works[0].values()


def values_of(placed: Placed) -> Shape | None:
    """Return what is declared of a task's values; None where they may be anything."""
    task, kind = placed.task, placed.kind
    if task.outputs is not None and "properties" in task.outputs:
        always = task.works[0].ALWAYS if kind else {}
        if not always:
            return shape_of(task.outputs)
        properties = {**task.outputs["properties"], **always}
        return Shape({**task.outputs, "properties": properties}, task.outputs)
    if kind == "operation_task" and task.operation_task:
        return _result_of(task.operation_task.operation)
    values = task.works[0].values() if kind else None
    return None if values is None else shape_of({"type": "object", "properties": dict(values)})


def text_fault(pointer: str, text: str, wanted: Wanted) -> Fault | None:
    """Return what is wrong with a text with templates in it where a task takes no text."""
    if wanted.takes("string"):
        return None
    return Fault(pointer, f"{text!r} gives string{wanted.says}.",
                 "Make the whole of it one template, {{ … }}, which keeps its type.",
                 "types")  # fmt: skip


def typed_inputs(placed: Placed) -> Iterator[tuple[str, str, Wanted]]:
    """Yield the texts with templates in a task's input, each with its pointer and what fits."""
    for pointer, taker, value, shape in _taken(placed):
        for place, text, inner in _templated(value, shape):
            if inner.kinds:
                says = f", and {taker} takes {' or '.join(sorted(inner.kinds))} here"
                yield pointer + place, text, Wanted(inner.kinds, says, CONVERT)


def _taken(placed: Placed) -> Iterator[tuple[str, str, Any, Shape]]:
    """Yield what has a type in the input of a task: its place, who takes it, and its shape."""
    for kind, work in placed.task.by_kind.items():
        shape = _kind_of(type(work)) if work.PARSED else None
        for name, value in work.templated().items() if shape else ():
            if shape is not None and (field_ := shape.field(name)) is not None:
                yield f"{placed.pointer}/{kind}/{name}", kind, value, field_
    spec = placed.task.operation_task
    if spec is not None and (shape := _input_of(spec.operation)) is not None:
        yield f"{placed.pointer}/operation_task/input", spec.operation, spec.input, shape


def _templated(value: Any, shape: Shape, pointer: str = "") -> Iterator[tuple[str, str, Shape]]:
    """Yield the texts with templates in a value, with their place and what is known of it."""
    if has_template(value):
        yield pointer, value, shape
    elif isinstance(value, Mapping):
        for name, item in value.items():
            if (field_ := shape.field(name) or shape.rest()) is not None:
                yield from _templated(item, field_, pointer + pointer_of([name]))
    elif isinstance(value, list) and (element := shape.element()) is not None:
        for number, item in enumerate(value):
            yield from _templated(item, element, f"{pointer}/{number}")


@lru_cache(maxsize=64)
def _kind_of(kind: type[TaskKind]) -> Shape:
    return shape_of(kind.model_json_schema())


@lru_cache(maxsize=512)
def _input_of(name: str) -> Shape | None:
    operation = registry.operations().get(name)
    return shape_of(operation.input.model_json_schema()) if operation else None


@lru_cache(maxsize=512)
def _result_of(name: str) -> Shape | None:
    operation = registry.operations().get(name)
    if operation is None:
        return None
    return shape_of(operation.result.model_json_schema(by_alias=False, mode="serialization"))


def _parameter(parameter: Parameter) -> Shape | None:
    if parameter.required:
        return shape_of(parameter.json_schema)
    if templates_in(parameter.default):
        return None
    shape = shape_of if parameter.default is not None else or_null
    return shape(parameter.json_schema)


def find(scope: Scope, key: str) -> Placed | None:
    """Return a task of this level, or of one around it."""
    inner: Scope | None = scope
    while inner is not None:
        if key in inner.keys:
            return inner.keys[key]
        inner = inner.outer
    return None
