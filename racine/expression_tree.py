"""Reads and hardens the syntax trees of CEL: what an expression refers to, and bounded loops.

The messages are those of `cel/expr/syntax.proto` (cel-spec), declared here only as far as they are
read; protobuf carries the fields not named along untouched.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory

GUARD = "racine_items"
"""Function put around what every loop walks over."""

_PARSED = "type.googleapis.com/cel.expr.ParsedExpr"

_MESSAGES: dict[str, dict[str, tuple[int, str]]] = {
    "ParsedExpr": {"expr": (2, "Expr")},
    "Expr": {
        "id": (2, "int64"),
        "const_expr": (3, "Constant"),
        "ident_expr": (4, "Ident"),
        "select_expr": (5, "Select"),
        "call_expr": (6, "Call"),
        "list_expr": (7, "List"),
        "struct_expr": (8, "Struct"),
        "comprehension_expr": (9, "Comprehension"),
    },
    "Constant": {"string_value": (6, "string")},
    "Ident": {"name": (1, "string")},
    "Select": {"operand": (1, "Expr"), "field": (2, "string"), "test_only": (3, "bool")},
    "Call": {"target": (1, "Expr"), "function": (2, "string"), "args": (3, "Expr*")},
    "List": {"elements": (1, "Expr*")},
    "Struct": {"entries": (2, "Entry*")},
    "Entry": {"map_key": (3, "Expr"), "value": (4, "Expr")},
    "Comprehension": {
        "iter_var": (1, "string"),
        "iter_range": (2, "Expr"),
        "accu_var": (3, "string"),
        "accu_init": (4, "Expr"),
        "loop_condition": (5, "Expr"),
        "loop_step": (6, "Expr"),
        "result": (7, "Expr"),
        "iter_var2": (8, "string"),
    },
}
_CHILDREN = {
    "call_expr": ("target", "args"),
    "list_expr": ("elements",),
    "select_expr": ("operand",),
    "struct_expr": ("entries",),
    "comprehension_expr": ("iter_range", "accu_init", "loop_condition", "loop_step", "result"),
}
_Field = descriptor_pb2.FieldDescriptorProto


@dataclass(frozen=True)
class Reference:
    """One thing that an expression reads: `tasks.a.values.n` is ("tasks", "a", "values", "n")."""

    path: tuple[str, ...]
    tested: bool = False
    """It stands inside `has()`."""
    computed: bool = False
    """After the path comes an index that only evaluation knows."""


def references(serialized: bytes) -> list[Reference]:
    """Return what a serialized unchecked expression reads, in order of appearance, each once."""
    return list(dict.fromkeys(_walk(_parsed(serialized).expr, frozenset())))


def patterns(serialized: bytes) -> list[str]:
    """Return the patterns that an expression writes out for `matches()`, in order."""
    calls = [node.call_expr for node in _nodes(_parsed(serialized).expr)
             if node.HasField("call_expr") and node.call_expr.function == "matches"]  # fmt: skip
    written = [call.args[-1] for call in calls if call.args]
    return [arg.const_expr.string_value for arg in written if arg.HasField("const_expr")]


def guarded(serialized: bytes) -> bytes | None:
    """Return the expression with GUARD around the range of every loop; None if it has no loop."""
    tree = _parsed(serialized)
    loops = [node.comprehension_expr for node in _nodes(tree.expr) if _has_loop(node)]
    for number, loop in enumerate(loops):
        inner = type(tree.expr)()
        inner.CopyFrom(loop.iter_range)
        loop.iter_range.Clear()
        loop.iter_range.id = 1_000_000 + number
        loop.iter_range.call_expr.function = GUARD
        loop.iter_range.call_expr.args.append(inner)
    if not loops:
        return None
    return any_pb2.Any(type_url=_PARSED, value=tree.SerializeToString()).SerializeToString()


def _parsed(serialized: bytes) -> Any:
    return _ParsedExpr.FromString(any_pb2.Any.FromString(serialized).value)


def _has_loop(node: Any) -> bool:
    return bool(node.HasField("comprehension_expr"))


def _children(node: Any) -> Iterator[Any]:
    for kind, names in _CHILDREN.items():
        if node.HasField(kind):
            part = getattr(node, kind)
            for name in names:
                yield from _expressions(part, name)


def _expressions(part: Any, name: str) -> Iterator[Any]:
    if name == "entries":
        for entry in part.entries:
            yield from (entry.map_key, entry.value)
    elif name in ("args", "elements"):
        yield from getattr(part, name)
    elif part.HasField(name):
        yield getattr(part, name)


def _nodes(node: Any) -> Iterator[Any]:
    yield node
    for child in _children(node):
        yield from _nodes(child)


def _walk(node: Any, bound: frozenset[str]) -> Iterator[Reference]:
    if (found := _reference(node, bound)) is not None:
        yield found
        yield from _indices(node, bound)
        return
    if _has_loop(node):
        loop = node.comprehension_expr
        yield from _walk(loop.iter_range, bound)
        inner = bound | {loop.iter_var, loop.iter_var2, loop.accu_var}
        for part in (loop.accu_init, loop.loop_condition, loop.loop_step, loop.result):
            yield from _walk(part, inner)
        return
    for child in _children(node):
        yield from _walk(child, bound)


def _reference(node: Any, bound: frozenset[str]) -> Reference | None:
    """Return the reference whose outermost node this is; a bound variable is none."""
    if node.HasField("ident_expr"):
        name = node.ident_expr.name
        return None if name in bound else Reference((name,))
    if node.HasField("select_expr"):
        select = node.select_expr
        inner = _reference(select.operand, bound)
        if inner is None or inner.computed:
            return inner
        return Reference((*inner.path, select.field), tested=select.test_only)
    if _is_index(node):
        target, index = node.call_expr.args
        inner = _reference(target, bound)
        if inner is None or inner.computed:
            return inner
        if index.HasField("const_expr") and index.const_expr.string_value:
            return Reference((*inner.path, index.const_expr.string_value))
        return Reference(inner.path, computed=True)
    return None


def _indices(node: Any, bound: frozenset[str]) -> Iterator[Reference]:
    """Yield what the computed indices along a reference read themselves."""
    if node.HasField("select_expr"):
        yield from _indices(node.select_expr.operand, bound)
    elif _is_index(node):
        yield from _indices(node.call_expr.args[0], bound)
        yield from _walk(node.call_expr.args[1], bound)


def _is_index(node: Any) -> bool:
    return bool(node.HasField("call_expr") and node.call_expr.function == "_[_]")


def _declare() -> Any:
    file = descriptor_pb2.FileDescriptorProto(
        name="racine/expression_tree.proto", package="racine.tree", syntax="proto3"
    )
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            message.field.append(_field(field, number, kind))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("racine.tree.ParsedExpr"))


def _field(name: str, number: int, kind: str) -> Any:
    scalars = {
        "int64": _Field.TYPE_INT64,
        "string": _Field.TYPE_STRING,
        "bool": _Field.TYPE_BOOL,
    }
    base = kind.removesuffix("*")
    field = _Field(name=name, number=number)
    field.label = _Field.LABEL_REPEATED if kind.endswith("*") else _Field.LABEL_OPTIONAL
    field.type = scalars.get(base, _Field.TYPE_MESSAGE)
    if base not in scalars:
        field.type_name = f".racine.tree.{base}"
    return field


_ParsedExpr = _declare()
