"""Lays Python source out: an expression on one line where it fits, else its parts one a line."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

WIDTH = 100


@dataclass(frozen=True)
class Group:
    """Something in brackets: a call with its name before them, a list, a dict."""

    head: str
    parts: "Sequence[tuple[str, Node]]"
    """Each with what stands before it: `name=`, `"key": `, or nothing."""
    tail: str


@dataclass(frozen=True)
class Chain:
    """Calls one after another: `job.task(…)` and what is called on it."""

    calls: Sequence[Group]


Node = str | Group | Chain


def call(name: str, /, *given: "Node", **named: "Node") -> Group:
    parts = [*(("", node) for node in given), *((f"{key}=", node) for key, node in named.items())]
    return Group(f"{name}(", parts, ")")


def literal(value: Any) -> Node:
    """Return a JSON value as Python writes it."""
    if isinstance(value, dict):
        return mapping({key: literal(item) for key, item in value.items()})
    if isinstance(value, list):
        return sequence([literal(item) for item in value])
    return text(value) if isinstance(value, str) else repr(value)


def mapping(items: "dict[str, Node]") -> Group:
    return Group("{", [(f"{text(key)}: ", node) for key, node in items.items()], "}")


def sequence(items: "Sequence[Node]") -> Group:
    return Group("[", [("", node) for node in items], "]")


def text(value: str) -> str:
    """Return a string literal; what cannot be seen is escaped."""
    return json.dumps(value, ensure_ascii=False) if value.isprintable() else repr(value)


def laid_out(node: "Node", before: str = "", indent: int = 0) -> str:
    """Return source that begins with `before` at an indent, in lines of at most `WIDTH`."""
    return " " * indent + _laid(before, node, indent, 0)


def _laid(before: str, node: "Node", indent: int, after: int) -> str:
    """Lay a node out after what stands before it; `after` characters follow its last line."""
    if isinstance(node, Chain):
        return before + _chain(len(before), node, indent, after)
    flat = before + _flat(node)
    if isinstance(node, str) or indent + len(flat) + after <= WIDTH or not node.parts:
        return flat
    inner = indent + 4
    lines = [" " * inner + _laid(lead, part, inner, 1) + "," for lead, part in node.parts]
    return "\n".join([before + node.head, *lines, " " * indent + node.tail])


def _chain(column: int, chain: Chain, indent: int, after: int) -> str:
    told = ""
    for number, group in enumerate(chain.calls):
        following = chain.calls[number + 1 :]
        room = len(following[0].head) if following else after
        last = told.rpartition("\n")[2]
        start = len(last) - indent if "\n" in told else column + len(told)
        told += _laid(" " * start, group, indent, room)[start:]
    return told


def _flat(node: "Node") -> str:
    if isinstance(node, str):
        return node
    if isinstance(node, Chain):
        return "".join(map(_flat, node.calls))
    return node.head + ", ".join(lead + _flat(part) for lead, part in node.parts) + node.tail
