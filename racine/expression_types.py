"""Checks the types of CEL expressions against what is declared of the names that they read.

CEL's checker knows JSON's types more strictly than its evaluation does, so what evaluation takes is
taken here too: integers beside fractions, null beside anything, branches of different types.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from racine.errors import Fault
from racine.json_shapes import Shape

if TYPE_CHECKING:
    from cel_expr_python import cel

_ERROR = re.compile(r"^(?:INVALID_ARGUMENT: )?ERROR: <input>:\d+:(\d+): (.*?)(?: \[\w+\])?$", re.M)
_OVERLOAD = re.compile(r"found no matching overload for '(.+?)' applied to '\((.*)\)'")
_OPERAND = re.compile(r"expression of type '(.+)' cannot be the operand of a select operation")
_NUMBERS = frozenset(("int", "uint", "double", "wrapper(int)", "wrapper(double)"))
_COMPARES = frozenset(("_<_", "_<=_", "_>_", "_>=_", "_==_", "_!=_", "@in"))
_JSON_NAMES = {"INT": "integer", "DOUBLE": "number", "BOOL": "boolean", "LIST": "array",
               "STRING": "string", "MAP": "object", "NULL": "null"}  # fmt: skip


CONVERT = "Take what fits, or convert: int(), double(), string()."


@dataclass(frozen=True)
class Wanted:
    """What a place takes: JSON's names of the types, what says so, and what to do about others."""

    kinds: frozenset[str]
    says: str
    next_step: str

    def takes(self, gives: str) -> bool:
        """Tell whether a value of that type may fit; a number may be whole."""
        alike = {"integer": "number", "number": "integer"}
        return gives in self.kinds or alike.get(gives) in self.kinds


CONDITION = Wanted(
    frozenset({"boolean"}), "", "A condition is true or false: compare it with something."
)
LIST = Wanted(frozenset({"array"}), "", "A loop walks over a list.")


@dataclass(frozen=True)
class Names:
    """Dotted names with the shape of their values; the first part of each may be anything."""

    roots: tuple[str, ...]
    declared: Mapping[str, Shape]

    def faults(
        self,
        expression: str,
        pointer: str,
        reads: Iterable[str] = (),
        wanted: Wanted | None = None,
    ) -> Iterator[Fault]:
        """Yield what is wrong with the types of an expression that reads these declared names."""
        complaints = self.complaints(expression)
        known = [f"{name} is {self.declared[name].told}." for name in dict.fromkeys(reads)
                 if name in self.declared]  # fmt: skip
        for complaint in complaints:
            step = " ".join([*known, CONVERT])
            yield Fault(pointer, f"{expression!r}: {complaint}.", step, "types")
        if wanted and not complaints:
            gives = self.gives(expression)
            if gives is not None and not wanted.takes(gives):
                says = f"{expression!r} gives {gives}{wanted.says}."
                yield Fault(pointer, says, wanted.next_step, "types")

    def complaints(self, expression: str) -> list[str]:
        """Return what evaluation could not do with values of these shapes, a sentence each."""
        try:
            self._environment.compile(expression)
        except RuntimeError as fault:
            found = [_complaint(int(at), said, self._fractions) for at, said in
                     _ERROR.findall(str(fault))]  # fmt: skip
            return [sentence for sentence in found if sentence]
        return []

    def gives(self, expression: str) -> str | None:
        """Return JSON's name for the type of what an expression gives, None where that is open."""
        try:
            found = str(self._environment.compile(expression).return_type())
        except RuntimeError:
            return None
        return _JSON_NAMES.get(found.partition("<")[0])

    @cached_property
    def _fractions(self) -> bool:
        return any(shape.kind == "number" for shape in self.declared.values())

    @cached_property
    def _environment(self) -> "cel.Env":
        from cel_expr_python import cel

        variables = dict.fromkeys(self.roots, cel.Type.DYN)
        for name, shape in self.declared.items():
            if (known := _type(shape)) is not None:
                variables[name] = known
        return cel.NewEnv(variables=variables)


def _type(shape: Shape) -> "cel.Type | None":
    from cel_expr_python import cel

    scalar = _scalars().get((shape.kind or "", shape.nullable))
    if scalar is not None or shape.nullable:
        return scalar
    if shape.kind == "array":
        element = shape.element()
        plain = element is not None and element.kind != "number" and not element.nullable
        inner = _type(element) if plain and element is not None else None
        return cel.Type.List(inner or cel.Type.DYN)
    return cel.Type.Map(cel.Type.STRING, cel.Type.DYN) if shape.kind == "object" else None


@lru_cache(maxsize=1)
def _scalars() -> "dict[tuple[str, bool], cel.Type]":
    from cel_expr_python import cel

    wrapped = "google.protobuf.{}Value".format
    return {
        ("integer", False): cel.Type.INT,
        ("integer", True): cel.Type(wrapped("Int64")),
        ("number", False): cel.Type.DOUBLE,
        ("number", True): cel.Type(wrapped("Double")),
        ("string", False): cel.Type.STRING,
        ("string", True): cel.Type(wrapped("String")),
        ("boolean", False): cel.Type.BOOL,
        ("boolean", True): cel.Type(wrapped("Bool")),
    }


def _complaint(column: int, said: str, fractions: bool) -> str | None:
    """Return CEL's complaint in plain words; None for what evaluation takes."""
    if found := _OVERLOAD.search(said):
        function, given = found.group(1), _split(found.group(2))
        if _taken(function, given, fractions):
            return None
        what = " and ".join(_plain(name) for name in given)
        return f"{_written(function)} does not go with {what} (column {column})"
    if found := _OPERAND.search(said):
        return f"{_plain(found.group(1))} has no fields (column {column})"
    return f"{said} (column {column})"


def _taken(function: str, given: list[str], fractions: bool) -> bool:
    """Tell whether evaluation does what the checker refuses."""
    if function == "_?_:_":
        return given[0] in ("bool", "wrapper(bool)")
    if function in ("_==_", "_!=_") and "null_type" in given:
        return True
    inner = [re.sub(r"^list\((.*)\)$", r"\1", name) for name in given]
    numbers = all(name in _NUMBERS for name in (inner if function == "@in" else given))
    return numbers and (function in _COMPARES or (fractions and function != "_%_"))


def _split(given: str) -> list[str]:
    """Return the types of a list of them: commas inside brackets do not part them."""
    parts, depth = [""], 0
    for sign in given:
        depth += (sign == "(") - (sign == ")")
        if sign == "," and not depth:
            parts.append("")
        else:
            parts[-1] += sign
    return [part.strip() for part in parts]


def _plain(name: str) -> str:
    wrapped = re.fullmatch(r"wrapper\((.*)\)", name)
    if wrapped:
        return f"{_plain(wrapped.group(1))} or null"
    named = _JSON_NAMES.get(name.partition("(")[0].upper().removesuffix("_TYPE"))
    return named or name


def _written(function: str) -> str:
    """Return an operator as people write it."""
    return {"_?_:_": "? :", "_[_]": "[ ]", "@in": "in"}.get(function, function.strip("_"))
