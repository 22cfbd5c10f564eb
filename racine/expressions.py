"""The one wrapper around CEL: `{{ expression }}` templates and bare conditions, bounded and strict.

Errors never count as true: every fault of the library, compiled or evaluated, becomes InvalidInput.
Loops walk over lists only: CEL gives a map's keys in an order that changes from process to process.
"""

import math
import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from racine import expression_tree
from racine.errors import InvalidInput
from racine.expression_tree import Reference

if TYPE_CHECKING:
    from cel_expr_python import cel

MAX_LENGTH = 4096
MAX_LOOP = 1000
"""Elements a loop may walk over: CEL's `map` takes 20 ms for 1,000 and 6 s for 10,000."""
MAX_TEXT = 1_000_000
"""Characters of one text that an expression may give."""
CONTEXTS = ("params", "tasks", "run", "item", "item_index", "outer")
_TEMPLATE = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_PATH = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+", re.ASCII)
_NOWHERE = object()
_INTEGERS = range(-(2**63), 2**64)


@lru_cache(maxsize=8192)
def references(expression: str) -> tuple[Reference, ...]:
    """Return what an expression reads, known or not; raise InvalidInput unless it parses."""
    _require_length(expression)
    try:
        tree = _environment(CONTEXTS).compile(expression, True).serialize()
    except RuntimeError as fault:
        raise _not_cel(expression, fault) from None
    return tuple(expression_tree.references(tree))


def check(expression: str, contexts: tuple[str, ...] = CONTEXTS) -> list[Reference]:
    """Return what an expression reads; raise InvalidInput unless it is CEL over known contexts."""
    reads = list(_compile(expression, contexts)[1])
    if "matches" in expression:
        _require_patterns(expression, _environment(contexts).compile(expression, True).serialize())
    return reads


def templates_in(value: Any) -> list[str]:
    """Return every expression inside `{{ }}` anywhere in a JSON value."""
    return [expression for _, expression in located_templates(value)]


def located_templates(value: Any, pointer: str = "") -> list[tuple[str, str]]:
    """Return every expression inside `{{ }}` with the JSON pointer of the text that holds it."""
    if isinstance(value, str):
        return [(pointer, found.strip()) for found in _TEMPLATE.findall(value)]
    if isinstance(value, Mapping):
        items = [(f"{pointer}/{_escape(str(key))}", item) for key, item in value.items()]
    elif isinstance(value, list):
        items = [(f"{pointer}/{number}", item) for number, item in enumerate(value)]
    else:
        return []
    return [found for place, item in items for found in located_templates(item, place)]


def is_template(text: str) -> bool:
    """Tell whether a text is one whole template, whose value keeps its type."""
    whole = _TEMPLATE.fullmatch(text.strip())
    return whole is not None and "{{" not in whole.group(1)


def has_template(value: Any) -> bool:
    return isinstance(value, str) and _TEMPLATE.search(value) is not None


def broken_templates(value: Any) -> list[str]:
    """Return the texts in a JSON value whose `{{` or `}}` has no partner."""
    if isinstance(value, str):
        rest = _TEMPLATE.sub("", value)
        return [value] if "{{" in rest or "}}" in rest else []
    parts = value.values() if isinstance(value, Mapping) else value
    if not isinstance(value, Mapping | list):
        return []
    return [text for part in parts for text in broken_templates(part)]


def evaluate(
    expression: str, context: Mapping[str, Any], contexts: tuple[str, ...] | None = None
) -> Any:
    """Return the JSON value of a CEL expression over a JSON-mode context.

    Without `contexts`, it may name the usual ones and whatever else the context holds.
    """
    if contexts is None:
        more = [name for name in context if name not in CONTEXTS]
        contexts = (*CONTEXTS, *sorted(more)) if more else CONTEXTS
    found = _walked(expression, context, contexts)
    if found is not _NOWHERE:
        _require_plain(found, expression)
        return found
    program, reads = _compile(expression, contexts)
    _require_here(expression, reads, context)
    roots = {reference.path[0] for reference in reads}
    data = {name: context.get(name, {}) if name in roots else {} for name in contexts}
    for name in roots:
        _require_plain(data.get(name), expression)
    try:
        value = program.eval(data=data)
        if value.type() == _error():
            raise InvalidInput(f"{expression!r} failed: {_first_line(value.value())}.")
        result = value.plain_value()
    except RuntimeError as fault:
        raise InvalidInput(f"{expression!r} failed: {_first_line(fault)}.") from None
    _require_plain(result, expression)
    return result


def _walked(expression: str, context: Mapping[str, Any], contexts: tuple[str, ...]) -> Any:
    """Return what a mere path leads to, without CEL: that takes 4 s to copy 200,000 elements."""
    root, *path = expression.split(".")
    if root not in contexts or not _PATH.fullmatch(expression):
        return _NOWHERE
    if root == "tasks" and len(path) < 3:
        return _NOWHERE  # some of a task's values may lie in a blob
    value = context.get(root)
    for name in path:
        if not isinstance(value, dict) or name not in value:
            return _NOWHERE
        value = value[name]
    return value


def _require_here(
    expression: str, reads: tuple[Reference, ...], context: Mapping[str, Any]
) -> None:
    """Refuse to judge by values that lie in a blob: only what a task does can read those."""
    tasks = context.get("tasks") or {}
    for root, *path in (reference.path for reference in reads):
        view = tasks.get(path[0], {}) if root == "tasks" and path else {}
        if "ref" not in view or path[1:2] not in ([], ["values"]):
            continue
        if len(path) < 3 or path[2] not in view["values"]:
            raise InvalidInput(
                f"{expression!r} reads {'.'.join((root, *path))}, which travels by reference.",
                next_step="A task's input and the job's outputs may read values over 64 KB;"
                " where the run itself decides, let a task return what decides.",
            )


def is_true(expression: str, context: Mapping[str, Any]) -> bool:
    """Return a condition's verdict; anything but a boolean raises InvalidInput."""
    value = evaluate(expression, context)
    if not isinstance(value, bool):
        raise InvalidInput(f"{expression!r} gave {type(value).__name__}, a condition needs a bool.")
    return value


def resolve(value: Any, context: Mapping[str, Any]) -> Any:
    """Replace templates in a JSON value; a string that is one whole template keeps its type."""
    if isinstance(value, str):
        return _resolve_text(value, context)
    if isinstance(value, Mapping):
        return {key: resolve(item, context) for key, item in value.items()}
    if isinstance(value, list):
        return [resolve(item, context) for item in value]
    return value


def _resolve_text(text: str, context: Mapping[str, Any]) -> Any:
    if is_template(text):
        return evaluate(text.strip()[2:-2].strip(), context)
    return _TEMPLATE.sub(lambda found: as_text(evaluate(found.group(1).strip(), context)), text)


def as_text(value: Any) -> str:
    """Return a value as templates write it into a text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _escape(token: str) -> str:
    return token.replace("~", "~0").replace("/", "~1")


def _first_line(fault: Any) -> str:
    return str(fault).split("\n", 1)[0].rstrip(". ")


def _require_plain(value: Any, expression: str) -> None:
    """Refuse what CEL would cut, reject late or give back as something that is not JSON."""
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, str):
        _require_text(value, expression)
    elif isinstance(value, int):
        _require(value in _INTEGERS, expression, "an integer over 64 bits")
    elif isinstance(value, float):
        _require(math.isfinite(value), expression, "a number that is not finite")
    elif isinstance(value, Mapping):
        for key, item in value.items():
            _require(isinstance(key, str), expression, "a map whose keys are not texts")
            _require_plain(item, expression)
    elif isinstance(value, list):
        for item in value:
            _require_plain(item, expression)
    else:
        _require(False, expression, f"a value of type {type(value).__name__}, which is not JSON")


def _require_text(value: str, expression: str) -> None:
    _require("\0" not in value, expression, "a text with a NUL character")
    _require(len(value) <= MAX_TEXT, expression, f"a text over {MAX_TEXT} characters")
    _require(value.isascii() or _encodes(value), expression, "a text that is not valid Unicode")


def _encodes(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _require(holds: bool, expression: str, what: str) -> None:
    if not holds:
        raise InvalidInput(f"{expression!r} met {what}.")


def _items(value: Any) -> Any:
    """Let a loop walk over short lists alone; called by CEL, which turns the error into a value."""
    if not isinstance(value, list):
        raise ValueError("a loop walks over a list; name the keys of a map instead")
    if len(value) > MAX_LOOP:
        raise ValueError(f"a loop walks over at most {MAX_LOOP} elements; use a for_each task")
    return value


@cache
def _error() -> Any:
    from cel_expr_python import cel

    return cel.Type.ERROR


@lru_cache(maxsize=256)
def _environment(contexts: tuple[str, ...]) -> "cel.Env":
    # Loaded when first needed: 7 MB that the API, which rarely evaluates, need not hold.
    from cel_expr_python import cel

    guard = cel.Overload("racine_items_dyn", cel.Type.DYN, [cel.Type.DYN], False, _items)
    declared = cel.FunctionDecl(expression_tree.GUARD, [guard])
    return cel.NewEnv(
        variables=dict.fromkeys(contexts, cel.Type.DYN),
        extensions=[cel.CelExtension("racine", [declared])],
    )


@lru_cache(maxsize=4096)
def _compile(
    expression: str, contexts: tuple[str, ...]
) -> tuple["cel.Expression", tuple[Reference, ...]]:
    _require_length(expression)
    environment = _environment(contexts)
    try:
        program = environment.compile(expression)
        tree = environment.compile(expression, True).serialize()
        guarded = expression_tree.guarded(tree)
        if guarded is not None:
            program = environment.deserialize(guarded)
    except RuntimeError as fault:
        raise _not_cel(expression, fault) from None
    return program, tuple(expression_tree.references(tree))


def _require_patterns(expression: str, tree: bytes) -> None:
    from racine import patterns  # here: what evaluates has no need of RE2

    for pattern in expression_tree.patterns(tree):
        try:
            patterns.compiled(pattern)
        except InvalidInput as fault:
            raise InvalidInput(f"{expression!r}: {fault.message}") from None


def _require_length(expression: str) -> None:
    if len(expression) > MAX_LENGTH:
        raise InvalidInput(f"An expression has at most {MAX_LENGTH} characters.")
    if not _encodes(expression):
        raise InvalidInput(f"{expression!r} is not valid CEL: it is not valid Unicode.")


def _not_cel(expression: str, fault: Exception) -> InvalidInput:
    return InvalidInput(f"{expression!r} is not valid CEL: {_complaint(fault)}.")


def _complaint(fault: Exception) -> str:
    """Return CEL's own sentence with the column, without its drawing of the place."""
    found = re.search(r"ERROR: <input>:\d+:(\d+): (.*)", str(fault))
    return f"{found.group(2)} (column {found.group(1)})" if found else _first_line(fault)
