"""What a JSON Schema says of values inside the one that it describes, as far as it says it plainly.

Of a schema that leaves open what a value is, nothing is known: `kind` is None, and so is the shape
of its fields.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

_MOST_REFERENCES = 20
_SCALARS: dict[type, str] = {bool: "boolean", int: "integer", float: "number", str: "string"}


@dataclass(frozen=True)
class Shape:
    """One value: its schema, and the whole one that its references lead into."""

    schema: Any
    root: Any

    @cached_property
    def kind(self) -> str | None:
        """JSON's name of its type, null aside; None where it may be of several or any."""
        kinds = self._kinds - {"null"}
        if kinds == {"integer", "number"}:
            return "number"
        return next(iter(kinds)) if len(kinds) == 1 and "" not in kinds else None

    @property
    def kinds(self) -> frozenset[str]:
        """JSON's names of the types that it may have; none where it does not say."""
        return frozenset() if "" in self._kinds else frozenset(self._kinds)

    @property
    def nullable(self) -> bool:
        return "null" in self._kinds

    @property
    def told(self) -> str:
        """Its type in words."""
        return f"{self.kind or 'anything'}{' or null' if self.nullable else ''}"

    @property
    def names(self) -> list[str] | None:
        """Names of its fields; None where it may have others."""
        found = self._only
        properties = found.get("properties")
        open_ = found.get("additionalProperties", False) is not False
        if not isinstance(properties, Mapping) or open_ or "patternProperties" in found:
            return None
        return list(properties)

    @property
    def required(self) -> Sequence[str] | None:
        """Names of the fields that are always there; None where it does not say."""
        found: Sequence[str] | None = self._only.get("required")
        return found

    def field(self, name: str) -> "Shape | None":
        """Return what is known of one field, None where that is nothing."""
        properties = self._only.get("properties")
        found = properties.get(name) if isinstance(properties, Mapping) else None
        return Shape(found, self.root) if isinstance(found, Mapping) else None

    def rest(self) -> "Shape | None":
        """Return what is known of the fields of an object that have no names."""
        found = self._only.get("additionalProperties")
        return Shape(found, self.root) if isinstance(found, Mapping) else None

    def element(self) -> "Shape | None":
        """Return what is known of every element of an array."""
        found = self._only.get("items")
        return Shape(found, self.root) if isinstance(found, Mapping) else None

    @cached_property
    def _options(self) -> list[Mapping[str, Any]]:
        """What it may be, one by one, with references followed."""
        schema = self.schema
        for _ in range(_MOST_REFERENCES):
            if not isinstance(schema, Mapping) or "$ref" not in schema:
                break
            schema = _pointed(self.root, schema["$ref"])
        if not isinstance(schema, Mapping):
            return [{}]
        either = schema.get("anyOf") or schema.get("oneOf")
        if not isinstance(either, list) or "type" in schema:
            return [schema]
        return [found for one in either for found in Shape(one, self.root)._options]

    @cached_property
    def _only(self) -> Mapping[str, Any]:
        """What it is when it is not null; nothing where there is a choice."""
        options = [found for found in self._options if found.get("type") != "null"]
        return options[0] if len(options) == 1 else {}

    @cached_property
    def _kinds(self) -> set[str]:
        found: set[str] = set()
        for option in self._options:
            said = option.get("type", "")
            found.update([said] if isinstance(said, str) else said)
        return found


def shape_of(schema: Any) -> Shape:
    return Shape(schema, schema)


def or_null(schema: Any) -> Shape:
    """Return the shape of what a schema describes, or null."""
    return Shape({"anyOf": [schema, {"type": "null"}]}, schema)


def seen(values: Iterable[Any], open_: Any = lambda value: False) -> Shape:
    """Return the shape that all of some JSON values have; nothing is known of those that are open.

    `open_` tells of a text whether it only stands for a value.
    """
    schemas = [_described(value, open_) for value in values]
    same = schemas and all(schema == schemas[0] for schema in schemas)
    return shape_of(schemas[0] if same else {})


def _described(value: Any, open_: Any) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return {"type": "object", "properties": {k: _described(v, open_) for k, v in value.items()}}
    if open_(value) or type(value) not in _SCALARS:
        return {}
    return {"type": _SCALARS[type(value)]}


def _pointed(root: Any, reference: Any) -> Any:
    """Return what a reference inside a schema leads to; None for any other."""
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return root if reference == "#" else None
    for part in reference[2:].split("/"):
        part = part.replace("~1", "/").replace("~0", "~")
        root = root.get(part) if isinstance(root, Mapping) else None
    return root
