"""From evidence to verdicts: pure, deterministic, and repeatable without the data."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from racine.governance.classifications.catalogue import SENSITIVITIES, Classifier, classifiers
from racine.governance.classifications.evidence import (
    Classification,
    ClassifySettings,
    ColumnEvidence,
    ColumnVerdict,
    Evidence,
    Explanation,
    TableEvidence,
)
from racine.governance.classifications.features import (
    Features,
    Header,
    lift,
    read_header,
    table_features,
)
from racine.governance.classifications.headers import Match, Phrase, matches
from racine.governance.classifications.model import NONE, Model, shipped
from racine.governance.classifications.unproven import hardly_named, unproven
from racine.governance.classifications.vetoes import mistyped, veto

_SHOWN = 0.1
"""Probability from which a kind is worth showing as a candidate."""
_SUREST = 0.999
"""Confidence of a verdict that no person has given: a model is never certain."""
_LEXICAL = frozenset(
    {"person_name", "address", "city", "region", "country", "organization", "occupation"}
)
_CONTAINED = {
    "email": "email",
    "card_luhn": "payment_card",
    "iban_valid": "iban",
    "ssn_shape": "us_ssn",
    "phone_international": "phone",
}
_PRIOR = -5.0
"""Log-odds that an unnamed column is of one given rarer type."""
_NAMED = {"exact": 7.0, "tail": 6.0, "head": 2.5, "inner": 2.0}
_BESIDE = 1.0
"""Log-odds that a neighbour of the type's context adds: it helps to decide, and never decides."""
_TYPED = 0.8

Told = Literal["named", "unnamed", "silent"]


def decide(
    table: TableEvidence,
    settings: ClassifySettings | None = None,
    own: Sequence[Classifier] = (),
    model: Model | None = None,
    shown: float = _SHOWN,
) -> list[ColumnVerdict]:
    """Return what each column of a table holds, in the order of its columns.

    `own` are classifiers of users, by which the evidence was gathered too; `model` are other
    weights than the shipped ones, to measure them; from the probability `shown` a kind is among
    the candidates.
    """
    rules, model = settings or ClassifySettings(), model or shipped()
    entries = tuple(_enabled(rules, own))
    return [
        _verdict(column, features, rules, _Judging(model, entries, shown))
        for column, features in zip(table.columns, table_features(table), strict=True)
    ]


def _enabled(rules: ClassifySettings, own: Sequence[Classifier]) -> Iterable[Classifier]:
    for entry in (*classifiers(), *own):
        packed = not rules.packs or entry.pack in (*rules.packs, "core", "custom")
        if packed and not {entry.id, entry.kind} & set(rules.disabled):
            yield entry


@dataclass(frozen=True)
class _Judging:
    """By what all columns of a table are judged."""

    model: Model
    entries: tuple[Classifier, ...]
    shown: float


def _verdict(
    column: ColumnEvidence, features: Features, rules: ClassifySettings, by: _Judging
) -> ColumnVerdict:
    if column.evidence is None or not column.evidence.distinct:
        return ColumnVerdict(name=column.name)
    header = read_header(column.name)
    found = [
        *_by_model(column, features, header, by),
        *_by_type(column.evidence, features, header, by),
        *_contained(column.evidence, by),
    ]
    ranked = sorted(_best_of_kind(found), key=lambda c: -c.confidence)
    known = {entry.id: entry for entry in by.entries}
    reached = [c for c in ranked if c.confidence >= _threshold(c, rules, header, by.model)]
    accepted = _compatible(reached)
    return ColumnVerdict(
        name=column.name,
        sensitivity=_highest(known[c.id] for c in accepted),
        classifications=tuple(accepted),
        candidates=tuple(c for c in ranked if c not in accepted),
    )


def _threshold(
    found: Classification, rules: ClassifySettings, header: Header, model: Model
) -> float:
    for name in (found.id, found.kind):
        if name in rules.thresholds:
            return rules.thresholds[name]
    if found.mode == "contains":
        return _TYPED
    return model.thresholds[told(found.kind, header)].get(found.kind, _TYPED)


def told(kind: str, header: Header) -> Told:
    """Return whether a header names a kind, speaks without naming it, or says nothing."""
    if header.silent:
        return "silent"
    return "named" if any(m.phrase.kind == kind for m in header.matches) else "unnamed"


def threshold_of(
    found: Classification, header: str, rules: ClassifySettings, model: Model | None = None
) -> float:
    """Return the confidence that a kind must reach under a header to count as held."""
    return _threshold(found, rules, read_header(header), model or shipped())


def _compatible(reached: list[Classification]) -> list[Classification]:
    """Keep the best kind that the column is, and what its free text contains beside."""
    best = next((c for c in reached if c.mode == "is"), None)
    return [c for c in reached if c is best or (c.mode == "contains" and best is None)]


def _best_of_kind(found: Iterable[Classification]) -> Iterable[Classification]:
    best: dict[tuple[str, str], Classification] = {}
    for item in found:
        current = best.get((item.kind, item.mode))
        if current is None or item.confidence > current.confidence:
            best[item.kind, item.mode] = item
    return best.values()


def _highest(entries: Iterable[Classifier]) -> str:
    return max((e.sensitivity for e in entries), key=SENSITIVITIES.index, default="public")


def _by_model(
    column: ColumnEvidence, features: Features, header: Header, by: _Judging
) -> Iterable[Classification]:
    """Yield the kinds that the learned weights find, each as its best-fitting classifier."""
    assert column.evidence is not None
    keyed = column.foreign_key or column.primary_key
    probabilities = by.model.probabilities(features)
    if _are_ibans(column.evidence):
        # Account numbers and IBANs share their names; check digits tell them apart.
        probabilities["iban"] += probabilities.pop("bank_account", 0.0)
    for kind, probability in probabilities.items():
        if kind == NONE or probability < by.shown or (keyed and kind in _LEXICAL):
            continue
        entry = _entry(kind, column.evidence, header, by.entries)
        if entry is None:
            continue
        explained = _explain(column.evidence, features, header, by.model, entry)
        against = mistyped(kind, column.type) or ruled_out(kind, column.evidence, features, header)
        if against:
            probability = min(probability, _SHOWN)
            words = f"{explained.words} Ruled out: {against}."
            explained = explained.model_copy(update={"words": words})
        yield Classification(
            id=entry.id,
            kind=kind,
            confidence=min(round(probability, 3), _SUREST),
            evidence=explained,
            detector_version=by.model.version,
        )


def _are_ibans(evidence: Evidence) -> bool:
    return evidence.hits.get("iban_valid", 0) >= max(2, 0.8 * evidence.sampled)


def ruled_out(kind: str, evidence: Evidence, features: Features, header: Header) -> str:
    """Return why a column is not said to be of a kind, whatever the weights say, or nothing."""
    against = veto(kind, evidence)
    named = [match.phrase for match in header.matches if match.phrase.kind == kind]
    if against or any(phrase.strong for phrase in named):
        return against
    if named:
        return hardly_named(kind, evidence, features)
    if not header.silent and kind in _named_kinds():
        return "the header speaks of something else"
    return unproven(kind, evidence, features)


@cache
def _named_kinds() -> frozenset[str]:
    return frozenset(e.kind for e in classifiers() if e.needs_name and e.pack == "core") | {"ssn"}


def _entry(
    kind: str, evidence: Evidence, header: Header, entries: tuple[Classifier, ...]
) -> Classifier | None:
    """Return the classifier of a kind that name and values fit best; a tie goes to the general."""
    fitting = [entry for entry in entries if entry.kind == kind]
    return max(fitting, key=lambda e: (_fit(e, evidence, header), e.pack == "core"), default=None)


def _fit(entry: Classifier, evidence: Evidence, header: Header) -> float:
    named = 3.0 if _names(entry, header) else 0.0
    return round(named + lift(evidence, entry), 1)


def _names(entry: Classifier, header: Header) -> Match | None:
    listed = {tuple(text.split()) for text in entry.headers}
    if entry.pack == "custom":
        index: dict[str, list[Phrase]] = {}
        for found in listed:
            index.setdefault(found[0], []).append(Phrase(found, entry.kind, True))
        hits = matches(header.words, index)
    else:
        hits = [
            m for m in header.matches if m.phrase.kind == entry.kind and m.phrase.words in listed
        ]
    return max(hits, key=lambda m: _NAMED[m.place], default=None)


def _explain(
    evidence: Evidence, features: Features, header: Header, model: Model, entry: Classifier
) -> Explanation:
    against = model.contributions(features, NONE)
    added = model.contributions(features, entry.kind)
    sums = {"name": 0.0, "values": 0.0, "context": 0.0}
    for name in {*added, *against}:
        sums[_origin(name)] += added.get(name, 0.0) - against.get(name, 0.0)
    return Explanation(
        name=round(sums["name"], 2),
        values=round(sums["values"], 2),
        context=round(sums["context"], 2),
        words=_sentence(evidence, header, entry),
    )


def _origin(feature: str) -> str:
    family = feature.partition(".")[0]
    if family in ("name", "word", "last", "header", "both"):
        return "name"
    return "context" if family in ("beside", "near", "table") else "values"


def _sentence(evidence: Evidence, header: Header, entry: Classifier) -> str:
    match = next((m for m in header.matches if m.phrase.kind == entry.kind), None)
    named = (
        f"the header says “{' '.join(match.phrase.words)}”"
        if match
        else "the header does not name it"
    )
    hits = {d: evidence.hits[d] for d in (entry.id, *entry.detectors) if d in evidence.hits}
    if not hits:
        return f"{named[0].upper()}{named[1:]}; none of its detectors fits the values."
    best = max(hits, key=hits.__getitem__)
    count = evidence.tried.get(best, evidence.sampled)
    told = best in (entry.id, entry.decisive) and entry.chance < 1
    chance = f" ({entry.chance:.2%} would by chance)" if told else ""
    share = f"{min(hits[best], count)} of {count} values fit {best}"
    return f"{named[0].upper()}{named[1:]}; {share}{chance}."


def _by_type(
    evidence: Evidence, features: Features, header: Header, by: _Judging
) -> Iterable[Classification]:
    """Yield types beyond the learned kinds: prior odds of the name, lift over chance, context."""
    for entry in by.entries:
        if entry.kind in by.model.kinds and not _speaks_for_itself(entry):
            continue
        match = _names(entry, header)
        if match is None and (entry.needs_name or entry.id not in evidence.hits):
            continue
        gain = lift(evidence, entry)
        beside = _BESIDE if _stands_beside(entry, features) else 0.0
        odds = _PRIOR + (_NAMED[match.place] if match else 0.0) + gain + beside
        if match and entry.shape and not evidence.hits.get(entry.id):
            odds -= 4.0
        confidence = 1 / (1 + math.exp(-odds))
        if confidence >= by.shown:
            yield Classification(
                id=entry.id,
                kind=entry.kind,
                confidence=min(round(confidence, 3), _SUREST),
                evidence=Explanation(
                    name=round(odds - _PRIOR - gain - beside, 2),
                    values=round(gain, 2),
                    context=beside,
                    words=_sentence(evidence, header, entry),
                ),
                detector_version=by.model.version,
            )


def _speaks_for_itself(entry: Classifier) -> bool:
    """Tell whether a type of a learned kind is judged by its own name too, as one among many."""
    return entry.pack == "custom" or (entry.pack != "core" and entry.name_alone)


def _stands_beside(entry: Classifier, features: Features) -> bool:
    """Tell whether the header or the values of a neighbour show a kind of the type's context."""
    return any(f"beside.{k}" in features.all or f"near.{k}" in features.all for k in entry.context)


def _contained(evidence: Evidence, by: _Judging) -> Iterable[Classification]:
    """Yield what free text contains: at least two distinct values with such a span."""
    known: Mapping[str, Classifier] = {entry.id: entry for entry in by.entries}
    for detector, count in evidence.spans.items():
        entry = known.get(_CONTAINED.get(detector, detector))
        if entry is None or count < 2 or evidence.hits.get(detector, 0) * 2 > count:
            continue
        yield Classification(
            id=entry.id,
            kind=entry.kind,
            confidence=min(round(1 - 0.5**count, 3), _SUREST),
            mode="contains",
            evidence=Explanation(
                values=float(count),
                words=f"{entry.name} stands in {count} of {evidence.sampled} texts.",
            ),
            detector_version=by.model.version,
        )
