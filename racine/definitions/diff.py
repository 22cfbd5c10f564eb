"""What changed between two documents of a job, by meaning.

Layout, the order of tasks, of edges and of whatever else has none, and the difference between a
default that is written down and one that is not: all that is no change.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from racine.definitions.document import Defaults, Dependency, JobDocument, Task
from racine.definitions.every_task import Found, every_task
from racine.definitions.schemas import pointer_of

_LAYOUT = frozenset({"ui", "spec_version"})
_BY_NAME = {"parameters": "name"}
"""Lists whose items have a name, which says what they are wherever they stand."""
_UNORDERED = frozenset(
    {"depends_on", "approvers", "cases", "non_retryable_error_types", "inlets", "outlets"}
)


@dataclass(frozen=True)
class Change:
    """One difference; a task is named by its key in the later document."""

    kind: Literal["added", "removed", "renamed", "moved", "changed"]
    pointer: str
    """Into the later document; of what is gone, into the earlier."""
    task: str | None
    """None for what belongs to the job itself."""
    field: str
    """The path below the task or the job, as a pointer without its first `/`; empty for all."""
    old: Any = None
    new: Any = None


class _Named(dict[str, tuple[int, Any]]):
    """A list without order: what each item is → its place and its content."""


def diff(before: JobDocument, after: JobDocument) -> list[Change]:
    """Return what changed: the job's own fields first, then task by task as they stand."""
    old, new = _by_key(before), _by_key(after)
    renamed = _renamed(old, new)
    if renamed:
        told = _rewritten(
            before.model_dump(mode="json", by_alias=True, exclude_unset=True), renamed
        )
        before = JobDocument.model_validate(told)
        old = _by_key(before)
    changes = [_change(None, "", path, *rest) for path, *rest in _compared(before, after)]
    former = {key: earlier for earlier, key in renamed.items()}
    for key, placed in new.items():
        changes += _of_task(key, old.get(key), placed, former.get(key))
    gone = [key for key in old if key not in new]
    return changes + [
        Change("removed", old[key].pointer, key, "", old=_written(old[key].task)) for key in gone
    ]


def _of_task(key: str, old: Found | None, new: Found, former: str | None) -> Iterator[Change]:
    if old is None:
        yield Change("added", new.pointer, key, "", new=_written(new.task))
        return
    if former is not None:
        yield Change("renamed", f"{new.pointer}/task_key", key, "task_key", former, key)
    if old.level != new.level:
        yield Change("moved", new.pointer, key, "", old.level, new.level)
    for path, *rest in _compared(old.task, new.task):
        yield _change(key, new.pointer, path, *rest)


def _change(key: str | None, base: str, path: list[str | int], kind: Any, *values: Any) -> Change:
    pointer = pointer_of(path)
    return Change(kind, base + pointer, key, pointer.removeprefix("/"), *values)


def _by_key(document: JobDocument) -> dict[str, Found]:
    return {found.task.task_key: found for found in every_task(document)}


def _written(task: Task) -> dict[str, Any]:
    return task.model_dump(mode="json", by_alias=True, exclude_unset=True)


def _content(part: BaseModel) -> dict[str, Any]:
    """Return a part's fields, defaults filled in, without the tasks inside it."""
    fields = type(part).model_fields
    named = ((name, info, getattr(part, name)) for name, info in fields.items())
    return {
        info.alias or name: _value(name, value)
        for name, info, value in named
        if value is not None and not _left_out(part, name, info, value)
    }


def _left_out(part: BaseModel, name: str, info: FieldInfo, value: Any) -> bool:
    if isinstance(part, Defaults) and value == info.default:
        # Written down, the job's time limit goes before an operation's own.
        return name not in part.model_fields_set
    if isinstance(part, JobDocument) and name in _LAYOUT:
        return True
    return isinstance(value, Task) or bool(
        isinstance(value, list) and value and isinstance(value[0], Task)
    )


def _value(name: str, value: Any) -> Any:
    if isinstance(value, BaseModel):
        return _content(value)
    if isinstance(value, list):
        items = [_content(item) if isinstance(item, BaseModel) else item for item in value]
        if name in _UNORDERED:
            return _Named({_text(item): (place, item) for place, item in enumerate(items)})
        if name in _BY_NAME and all(isinstance(item, BaseModel) for item in value):
            return _Named({item[_BY_NAME[name]]: (n, item) for n, item in enumerate(items)})
        return to_jsonable_python(items)
    return value.value if isinstance(value, Enum) else value


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


_Difference = tuple[list[str | int], str, Any, Any]
_ABSENT = object()


def _compared(before: BaseModel, after: BaseModel) -> Iterator[_Difference]:
    yield from _differences([], _content(before), _content(after))


def _differences(path: list[str | int], old: Any, new: Any) -> Iterator[_Difference]:
    if isinstance(old, _Named) or isinstance(new, _Named):
        yield from _unordered(path, old or _Named(), new or _Named())
    elif isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in dict.fromkeys([*new, *old]):
            yield from _differences([*path, key], old.get(key, _ABSENT), new.get(key, _ABSENT))
    elif old is _ABSENT:
        yield path, "added", None, new
    elif new is _ABSENT:
        yield path, "removed", old, None
    elif old != new or isinstance(old, bool) is not isinstance(new, bool):
        yield path, "changed", old, new


def _unordered(path: list[str | int], old: Any, new: Any) -> Iterator[_Difference]:
    earlier, later = (_Named() if v is _ABSENT else v for v in (old, new))
    for key, (place, item) in later.items():
        if key in earlier:
            yield from _differences([*path, place], earlier[key][1], item)
        else:
            yield [*path, place], "added", None, item
    for key, (place, item) in earlier.items():
        if key not in later:
            yield [*path, place], "removed", item, None


def _renamed(old: Mapping[str, Found], new: Mapping[str, Found]) -> dict[str, str]:
    """Return old key → new key where one task that went is, but for names, one that came."""
    gone, come = [k for k in old if k not in new], [k for k in new if k not in old]
    if not gone or not come:
        return {}
    masks = dict.fromkeys([*gone, *come], "?")
    before, after = _alike(old, gone, masks), _alike(new, come, masks)
    return {
        keys[0]: after[shape][0]
        for shape, keys in before.items()
        if len(keys) == 1 and len(after.get(shape, [])) == 1
    }


def _alike(
    tasks: Mapping[str, Found], keys: Sequence[str], masks: Mapping[str, str]
) -> dict[str, list[str]]:
    """Return keys by what their tasks say when every name that went or came reads the same."""
    found: dict[str, list[str]] = defaultdict(list)
    for key in keys:
        placed = tasks[key]
        written = _rewritten(_written(placed.task), masks)
        level = masks.get(placed.level, placed.level)
        found[_text([level, _sorted(written)])].append(key)
    return found


def _sorted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _sorted(v) for k, v in value.items()}
    if isinstance(value, list) and all(isinstance(v, Mapping) for v in value):
        return sorted((_sorted(v) for v in value), key=_text)
    return value


def _rewritten(value: Any, names: Mapping[str, str]) -> Any:
    """Return a written document, or a part of it, with tasks called by their other names."""
    wanted = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    dotted = re.compile(rf"\btasks\.({wanted})\b")
    return _under_names(value, names, dotted)


def _under_names(value: Any, names: Mapping[str, str], dotted: re.Pattern[str]) -> Any:
    if isinstance(value, Mapping):
        return {
            key: names.get(item, item)
            if key in _KEYS and isinstance(item, str)
            else _under_names(item, names, dotted)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_under_names(item, names, dotted) for item in value]
    if isinstance(value, str):
        return dotted.sub(lambda found: f"tasks.{names[found[1]]}", value)
    return value


_KEYS = frozenset({*Dependency.model_fields} - {"outcome"}) | {"compensate_with"}
"""Fields that hold the key of a task."""
