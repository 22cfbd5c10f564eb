"""Classifiers of users' own: YAML entries, word lists and Python functions."""

import hashlib
import importlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import re2
import yaml

from racine.errors import Fault, InvalidInput
from racine.governance.classifications.catalogue import (
    Classifier,
    classifiers,
    parse,
    typical_chance,
)
from racine.governance.classifications.measuring import chance_rates
from racine.governance.classifications.words import fold

PACK = "custom"
_LONGEST_PATTERN = 500
_DRAWS = 200
_MOST_WORDS = 20_000
_KEYS = frozenset(
    "id kind name category sensitivity headers weak pattern words python validator context "
    "needs_name examples regulations source".split()
)


def from_yaml(text: str) -> list[Classifier]:
    """Return the classifiers of a YAML document: a list of entries or one entry.

    `pattern` is a RE2 expression for the whole value, `words` a list of whole values, `python` a
    function `module:function` that is imported and asked: only for files that their reader trusts.
    Raises InvalidInput with a fault for each entry that cannot be used.
    """
    try:
        loaded = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InvalidInput("The file is not YAML.", next_step=str(error)) from error
    items = loaded if isinstance(loaded, list) else [loaded]
    _refuse([fault for at, item in enumerate(items) for fault in _faults(at, item)])
    return [from_entry(item) for item in items]


def from_declarations(items: Sequence[Mapping[str, Any]]) -> list[Classifier]:
    """Return the classifiers of entries that came over the network: none of them names code.

    Raises InvalidInput as `from_yaml` does.
    """
    faults = [fault for at, item in enumerate(items) for fault in _faults(at, item)]
    faults += [_no_code(at) for at, item in enumerate(items) if "python" in item]
    faults += [
        Fault(f"/{at}/words", "It lists too many words.", f"List at most {_MOST_WORDS}.")
        for at, item in enumerate(items) if len(item.get("words") or ()) > _MOST_WORDS
    ]  # fmt: skip
    _refuse(faults)
    return [from_entry(item) for item in items]


def _no_code(at: int) -> Fault:
    return Fault(f"/{at}/python", "Code is taken from files of the installation alone.",
                 "Put the file into RACINE_CLASSIFIERS_FOLDER.")  # fmt: skip


def _refuse(faults: Sequence[Fault]) -> None:
    if faults:
        raise InvalidInput(
            f"{len(faults)} of the statements cannot be used: {faults[0].message}",
            next_step=faults[0].next_step,
            faults=faults,
        )


def from_entry(item: Mapping[str, Any]) -> Classifier:
    """Return the classifier of one declarative entry.

    Raises InvalidInput when its pattern is not RE2, or its validator or sensitivity is unknown.
    """
    declared = {k: v for k, v in item.items() if k not in ("pattern", "words", "python")}
    entry = replace(parse({"kind": item["id"], **declared}, PACK), declared=_digest(item))
    found = (_pattern(item), _words(item), _function(item), entry.check)
    checks = [check for check in found if check]
    if not checks:
        return replace(entry, needs_name=True)
    entry = replace(entry, check=_all(checks))
    return replace(entry, chance=_measured(entry))


def from_words(id_: str, words: Iterable[str], **details: Any) -> Classifier:
    """Return a classifier that accepts the given values, whatever their case and accents."""
    return from_entry({"id": id_, "words": list(words), **details})


def from_function(id_: str, target: str, **details: Any) -> Classifier:
    """Return a classifier that asks a Python function `module:function` about each value.

    The function is imported and run: only for code that its caller trusts.
    Raises InvalidInput when there is no such function.
    """
    return from_entry({"id": id_, "python": target, **details})


def _digest(item: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(item, sort_keys=True, default=str).encode()).hexdigest()


def _measured(entry: Classifier) -> float:
    return typical_chance(chance_rates(entry, _DRAWS) or {"any": 1 / _DRAWS}, 1.0)


def _faults(at: int, item: Any) -> Iterable[Fault]:
    if not isinstance(item, dict) or not isinstance(item.get("id"), str):
        yield Fault(f"/{at}", "An entry needs an id.", "Write `- id: my_type` first.")
        return
    for key in sorted(set(item) - _KEYS):
        yield Fault(f"/{at}/{key}", f"{key} is not known here.", f"Use {', '.join(sorted(_KEYS))}.")
    yield from _faults_of_examples(at, item.get("examples") or {})
    if item["id"] in {entry.id for entry in classifiers()}:
        yield Fault(f"/{at}/id", f"The id {item['id']} is built in.", "Choose another id.")


def _faults_of_examples(at: int, examples: Any) -> Iterable[Fault]:
    sides = examples if isinstance(examples, dict) else {"": examples}
    for side, listed in sides.items():
        place = f"/{at}/examples/{side}".rstrip("/")
        if side not in ("match", "reject") or not isinstance(listed, list):
            yield Fault(
                place, "Examples are two lists.", "Write `{match: [B-1204], reject: [B-1]}`."
            )
            continue
        for number, example in enumerate(listed):
            columns = example.values() if isinstance(example, dict) else ()
            if example == {} or not all(isinstance(values, list) for values in columns):
                yield Fault(
                    f"{place}/{number}", "An example by columns lists the values of each.",
                    "Write `{badge: [B-1204, B-0033]}`.",
                )  # fmt: skip


def _pattern(item: Mapping[str, Any]) -> Callable[[str], bool] | None:
    text = item.get("pattern")
    if not text:
        return None
    if len(text) > _LONGEST_PATTERN:
        raise InvalidInput(
            f"The pattern of {item['id']} is longer than {_LONGEST_PATTERN} characters.",
            next_step="Use a word list for many values.",
        )
    try:
        compiled = re2.compile(text)
    except re2.error as error:
        raise InvalidInput(
            f"The pattern of {item['id']} is not a RE2 expression: {error}.",
            next_step="RE2 has no look-around and no back-references.",
        ) from error
    return lambda value: compiled.fullmatch(value) is not None


def _function(item: Mapping[str, Any]) -> Callable[[str], bool] | None:
    target = str(item.get("python") or "")
    if not target:
        return None
    module, _, name = target.partition(":")
    try:
        check: Callable[[str], bool] = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise InvalidInput(
            f"There is no function {target}.", next_step="Name it as module:function."
        ) from error
    return check


def _words(item: Mapping[str, Any]) -> Callable[[str], bool] | None:
    listed = frozenset(fold(str(word)) for word in item.get("words") or ())
    return (lambda value: fold(value) in listed) if listed else None


def _all(checks: list[Callable[[str], bool]]) -> Callable[[str], bool]:
    return lambda value: all(check(value) for check in checks)
