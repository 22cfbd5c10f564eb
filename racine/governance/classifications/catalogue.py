"""The classifiers: declarative entries read from the packs."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module, resources
from typing import Any

import yaml

from racine.errors import InvalidInput
from racine.governance.classifications.headers import Phrase, concepts
from racine.governance.classifications.words import fold

_FORM_ALONE = 0.2
"""Chance rate of a type that only its form tells: codes of the same form occur."""

_MODULE = re.compile(r"[a-z]\w*(?:\.[a-z]\w*)?")
_FUNCTION = re.compile(r"[a-z][a-z0-9_]*")

SENSITIVITIES = ("public", "internal", "confidential", "restricted")


@dataclass(frozen=True)
class ColumnExample:
    """Plausible columns of a table, by header: what shows a type that no single value tells.

    The first column is the one in question; the others stand beside it.
    """

    columns: Mapping[str, tuple[str, ...]]

    @property
    def header(self) -> str:
        return next(iter(self.columns))


@dataclass(frozen=True, eq=False)
class Classifier:
    """One type of data: how a header names it, which values it accepts, how often by chance."""

    id: str
    kind: str
    name: str
    category: str
    sensitivity: str
    pack: str
    headers: tuple[str, ...] = ()
    weak: tuple[str, ...] = ()
    detectors: tuple[str, ...] = ()
    """Built-in detectors whose hits speak for the type."""
    decisive: str = ""
    """The detector whose hits count as lift over `chance`, where it is not the type's own check."""
    shape: re.Pattern[str] | None = None
    """What the masked value must match (see `shapes.mask`)."""
    check: Callable[[str], bool] | None = field(default=None, repr=False)
    search: Callable[[str], bool] | None = field(default=None, repr=False)
    """Tells whether free text contains the type; asked of values that are text alone."""
    validator: str = ""
    chance: float = 1.0
    """Share of random values of a fitting shape that it accepts (worst null model, measured)."""
    context: tuple[str, ...] = ()
    """Kinds whose presence beside the column speaks for the type."""
    needs_name: bool = False
    """Values cannot decide against a header that speaks of something else."""
    regulations: tuple[str, ...] = ()
    matching: tuple[str, ...] = ()
    rejecting: tuple[str, ...] = ()
    matching_columns: tuple[ColumnExample, ...] = ()
    rejecting_columns: tuple[ColumnExample, ...] = ()
    source: str = ""
    declared: str = ""
    """Digest of a user's declaration: what was gathered and judged by another is done anew."""

    @property
    def name_alone(self) -> bool:
        """Whether nothing but the header can tell the type."""
        return not (self.detectors or self.shape or self.check)


@cache
def chances() -> Mapping[str, Any]:
    """Return the measured chance rates, classifier id -> null model -> share accepted."""
    text = resources.files(__package__).joinpath("data/chance.yaml")
    return yaml.load(text.read_text("utf-8"), yaml.CSafeLoader) or {} if text.is_file() else {}


@cache
def classifiers() -> tuple[Classifier, ...]:
    """Return every built-in classifier of every pack."""
    folder = resources.files(__package__).joinpath("packs")
    names = sorted(file.name for file in folder.iterdir() if file.name.endswith(".yaml"))
    return tuple(
        entry
        for name in names
        for entry in read(folder.joinpath(name).read_text("utf-8"), name.removesuffix(".yaml"))
    )


def read(text: str, pack: str) -> Iterable[Classifier]:
    """Yield the classifiers of one YAML document."""
    for item in yaml.load(text, yaml.CSafeLoader):
        yield parse(item, pack)


def parse(item: Mapping[str, Any], pack: str) -> Classifier:
    """Return a classifier from its declarative form.

    Raises InvalidInput when its sensitivity, shape or validator is unknown.
    """
    if item.get("sensitivity", "internal") not in SENSITIVITIES:
        raise InvalidInput(
            f"Classifier {item['id']} has the unknown sensitivity {item['sensitivity']!r}.",
            next_step=f"Use one of {', '.join(SENSITIVITIES)}.",
        )
    examples = item.get("examples") or {}
    match, reject = (examples.get(side) or () for side in ("match", "reject"))
    measured = chances().get(item["id"]) or {}
    return Classifier(
        id=item["id"],
        kind=item.get("kind", "other"),
        name=item.get("name", item["id"]),
        category=item.get("category", "other"),
        sensitivity=item.get("sensitivity", "internal"),
        pack=pack,
        headers=tuple(map(str, item.get("headers") or ())),
        weak=tuple(map(str, item.get("weak") or ())),
        detectors=tuple(item.get("detectors") or ()),
        decisive=item.get("decisive", ""),
        shape=re.compile(item["shape"]) if item.get("shape") else None,
        check=_validator(item.get("validator", "")),
        validator=item.get("validator", ""),
        chance=typical_chance(measured, float(item.get("chance", 1.0))),
        context=tuple(item.get("context") or ()),
        needs_name=bool(item.get("needs_name")),
        regulations=tuple(item.get("regulations") or ()),
        matching=tuple(str(example) for example in match if not isinstance(example, dict)),
        rejecting=tuple(str(example) for example in reject if not isinstance(example, dict)),
        matching_columns=tuple(_columns(match)),
        rejecting_columns=tuple(_columns(reject)),
        source=item.get("source", ""),
    )


def _columns(examples: Iterable[Any]) -> Iterable[ColumnExample]:
    for example in examples:
        if isinstance(example, dict) and example:
            yield ColumnExample({str(h): tuple(map(str, v)) for h, v in example.items()})


def typical_chance(measured: Mapping[str, float], otherwise: float) -> float:
    """Return the worst null model's rate.

    Where nearly all redrawn digits pass, the type has no check digit and its form is all there is:
    other models decide, but never below `_FORM_ALONE`.
    """
    others = [rate for name, rate in measured.items() if name not in ("same shape", "UUIDs")]
    worst = max(others, default=0.0)
    alike = measured.get("same shape", 0.0)
    if not measured:
        return otherwise
    return max(worst, _FORM_ALONE) if alike > 0.5 else max(worst, alike, 1e-4)


def _validator(name: str) -> Callable[[str], bool] | None:
    if not name:
        return None
    family, _, rest = name.partition(":")
    try:
        if family == "stdnum" and _MODULE.fullmatch(rest):
            return _guarded(import_module(f"stdnum.{rest}").is_valid)
        if family == "own" and _FUNCTION.fullmatch(rest):
            module = import_module("racine.governance.classifications.detectors.checksums")
            return getattr(module, rest)  # type: ignore[no-any-return]
    except (ImportError, AttributeError):
        pass
    raise InvalidInput(
        f"The validator {name!r} is unknown.",
        next_step="Use stdnum:<module>, own:<function> or leave it out.",
    )


def _guarded(check: Callable[[str], bool]) -> Callable[[str], bool]:
    """Return the check with a table it fails to find counted as a refusal (stdnum 2.2, cn.ric)."""

    def guarded(value: str) -> bool:
        try:
            return bool(check(value))
        except (LookupError, ValueError, TypeError):
            return False

    return guarded


@cache
def phrases() -> dict[str, list[Phrase]]:
    """Return every header phrase of the built-in classifiers, by its first word."""
    index: dict[str, list[Phrase]] = {}
    for phrase in _distinct(classifiers()):
        index.setdefault(phrase.words[0], []).append(phrase)
    return index


def _distinct(entries: Iterable[Classifier]) -> set[Phrase]:
    strong = {(_words(text), entry.kind) for entry in entries for text in entry.headers}
    weak = {(_words(text), entry.kind) for entry in entries for text in entry.weak} - strong
    found = {Phrase(words, kind, True) for words, kind in strong if words}
    return found | {Phrase(words, kind, False) for words, kind in weak if words}


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for word in fold(text).split() if not word.isdigit())


@cache
def vocabulary() -> frozenset[str]:
    """Return every word that a header phrase or a qualifying concept uses."""
    named = {word for listed in phrases().values() for phrase in listed for word in phrase.words}
    return frozenset(named | set(concepts()))
