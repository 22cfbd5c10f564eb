"""References: what a task will return or a run will be given, while the job is being written.

A reference is typed as the value it stands for and is a template at run time: `scan.values.rows` is
an `int` to the type checker and `{{ tasks.scan.values.rows }}` in the document.
"""

import json
import keyword
import re
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, NoReturn, SupportsIndex, TypeVar

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

T = TypeVar("T")

_PATH = re.compile(r'[A-Za-z_]\w*(\.\w+|\[(\d+|"[^"\\]*")\])*')
"""What binds tighter than any operator; all else is put in brackets."""


class Reference(str):
    """A CEL expression in its braces: fields, items, arithmetic and comparisons extend it."""

    __slots__ = ("_cel",)
    _cel: str

    def __new__(cls, expression: str) -> "Reference":
        made = super().__new__(cls, f"{{{{ {expression} }}}}")
        made._cel = expression
        return made

    def __getattribute__(self, name: str) -> Any:
        # Every public name is a field of the value, also those that a string has as methods.
        if name.startswith("_"):
            return super().__getattribute__(name)
        return Reference(_member(literal(self), name))

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str) and not isinstance(key, Reference):
            return Reference(_member(literal(self), key))
        return Reference(f"{literal(self)}[{literal(key)}]")

    def __hash__(self) -> int:
        return super().__hash__()

    def __eq__(self, other: object) -> Any:
        return self._with("==", other)

    def __ne__(self, other: object) -> Any:
        return self._with("!=", other)

    def __lt__(self, other: Any) -> Any:
        return self._with("<", other)

    def __le__(self, other: Any) -> Any:
        return self._with("<=", other)

    def __gt__(self, other: Any) -> Any:
        return self._with(">", other)

    def __ge__(self, other: Any) -> Any:
        return self._with(">=", other)

    def __add__(self, other: Any) -> Any:
        return self._with("+", other)

    def __radd__(self, other: Any) -> Any:
        return Reference(f"{literal(other)} + {literal(self)}")

    def __sub__(self, other: Any) -> Any:
        return self._with("-", other)

    def __mul__(self, other: Any) -> Any:
        return self._with("*", other)

    def __truediv__(self, other: Any) -> Any:
        return self._with("/", other)

    def __mod__(self, other: Any) -> Any:
        return self._with("%", other)

    def __bool__(self) -> NoReturn:
        raise _unknown(self, "has no truth", "Give the comparison to `condition(…)`.")

    def __iter__(self) -> Iterator[str]:
        raise _unknown(self, "cannot be walked over", "Loop in the job, not while writing it.")

    def __len__(self) -> int:
        raise _unknown(self, "has no length", "`racine.cel('size(…)')` asks for it in the run.")

    def __contains__(self, item: object) -> bool:
        raise _unknown(self, "cannot be searched", "`racine.cel('x in y')` asks in the run.")

    def __index__(self) -> SupportsIndex:
        raise _unknown(self, "is no number", "Let a task compute with it.")

    def _with(self, operator: str, other: Any) -> "Reference":
        return Reference(f"{literal(self)} {operator} {literal(other)}")


def cel(expression: str, as_type: type[T] | None = None) -> Any:
    """Return a reference to any CEL expression over `params`, `tasks` and `run`."""
    return Reference(expression)


def literal(value: Any) -> str:
    """Return a value as CEL writes it; a reference is its own expression."""
    if isinstance(value, Reference):
        return value._cel if _PATH.fullmatch(value._cel) else f"({value._cel})"
    return json.dumps(plain(value), ensure_ascii=False)


def expression_of(value: Any) -> str:
    """Return the bare CEL of a condition: of a reference, a boolean, or CEL text."""
    if isinstance(value, Reference):
        return value._cel
    return value if isinstance(value, str) else literal(value)


def plain(value: Any) -> Any:
    """Return a value as JSON has it, references as their templates, models as they were filled."""
    if isinstance(value, str):
        return str.__str__(value.value if isinstance(value, Enum) else value)
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True, exclude_unset=True)
    if isinstance(value, Mapping):
        return {str.__str__(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return to_jsonable_python(value)


def _member(base: str, name: str) -> str:
    if name.isidentifier() and name.isascii() and not keyword.iskeyword(name):
        return f"{base}.{name}"
    return f"{base}[{json.dumps(name, ensure_ascii=False)}]"


def _unknown(reference: Reference, what: str, way_out: str) -> TypeError:
    text = str.__str__(reference)
    return TypeError(f"{text} {what} while the job is being written. {way_out}")
