"""The evidence about one column as named numbers, which the model weighs."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache

from racine.governance.classifications import headers
from racine.governance.classifications.catalogue import Classifier, classifiers, phrases, vocabulary
from racine.governance.classifications.evidence import ColumnEvidence, Evidence, TableEvidence
from racine.governance.classifications.headers import Match
from racine.governance.classifications.surroundings import EXACT, SHOWN_PERSONAL, degrees, shown

_STRENGTH = {"exact": 1.0, "tail": 0.8, "head": 0.6, "inner": 0.5}
_EXPECTED = 0.9
"""Share of a true column's values that its own validator accepts (typing errors, test data)."""
_FLOOR = -6.0
_CEILINGS = ((0.15, 10.0), (0.3, 4.0), (1.0, 1.0))
"""Chance up to which, and the most log-odds that hits then add: values of a column resemble each
other, so that many hits of a check which lets half of all numbers pass are one coincidence."""
_COUPLE = 2
"""Columns of decimal degrees that a place has; measurements come in crowds."""
_PERSONAL = frozenset(
    "person_name email phone date_of_birth gender age national_id ssn username password "
    "marital_status".split()
)


@dataclass
class Features:
    """What speaks for each kind (`own`) and what describes the column whatever the kind (`all`)."""

    own: dict[str, dict[str, float]] = field(default_factory=dict)
    all: dict[str, float] = field(default_factory=dict)

    def add(self, kind: str, name: str, value: float = 1.0) -> None:
        found = self.own.setdefault(kind, {})
        found[name] = max(value, found.get(name, value))


@dataclass(frozen=True)
class Header:
    """A header's words, the phrases found in it and what is left over."""

    words: tuple[str, ...]
    matches: tuple[Match, ...]
    silent: bool

    @property
    def rest(self) -> tuple[int, ...]:
        """Positions of words that no match covers."""
        covered = {at for m in self.matches for at in range(m.start, m.end)}
        return tuple(at for at in range(len(self.words)) if at not in covered)


@lru_cache(20_000)
def read_header(name: str) -> Header:
    """Return what a header says to the built-in classifiers."""
    found = headers.words(name, vocabulary())
    return Header(found, tuple(headers.matches(found, phrases())), headers.silent(name))


def table_features(table: TableEvidence) -> list[Features]:
    """Return the features of every column, each seen among its siblings."""
    read = [read_header(column.name) for column in table.columns]
    named = [_named_kinds(header) for header in read]
    seen = [shown(column.evidence) for column in table.columns]
    about = _concepts(headers.words(table.name, vocabulary()), "table")
    result = []
    for at, column in enumerate(table.columns):
        features = Features()
        _name(features, read[at])
        if column.evidence is not None and column.evidence.distinct:
            _values(features, column.evidence, read[at])
        else:
            features.all["value.none"] = 1.0
        _siblings(features, named[:at] + named[at + 1 :], seen[:at] + seen[at + 1 :])
        features.all.update(_pairs(at, table.columns))
        features.all.update(about)
        result.append(features)
    return result


def _named_kinds(header: Header) -> set[str]:
    return {
        m.phrase.kind for m in header.matches if m.phrase.strong and m.place in ("exact", "tail")
    }


def _name(features: Features, header: Header) -> None:
    if header.silent:
        features.all["name.silent"] = 1.0
        return
    features.all.update(_concepts(tuple(header.words[at] for at in header.rest), "word"))
    last = _last_concept(header)
    if last:
        features.all[f"last.{last}"] = 1.0
    features.all[f"name.words{min(len(header.words), 4)}"] = 1.0
    if not header.matches:
        features.all["name.unknown"] = 1.0
    if any(header.words[at] not in headers.concepts() for at in header.rest):
        features.all["word.unlisted"] = 1.0
    kinds = {m.phrase.kind for m in header.matches if m.phrase.strong}
    for match in header.matches:
        _match(features, match, last)
        if kinds - {match.phrase.kind}:
            features.add(match.phrase.kind, "name.rival")
    for kind in {m.phrase.kind for m in header.matches}:
        features.all[f"header.{kind}"] = max(
            _STRENGTH[m.place] * (1.0 if m.phrase.strong else 0.4)
            for m in header.matches
            if m.phrase.kind == kind
        )


def _match(features: Features, match: Match, last: str) -> None:
    strength = "strong" if match.phrase.strong else "weak"
    features.add(match.phrase.kind, f"name.{strength}.{match.place}")
    features.add(match.phrase.kind, "name.match", _STRENGTH[match.place])
    if match.place in ("head", "inner") and last:
        features.add(match.phrase.kind, f"name.then.{last}")
    if len(match.phrase.words) > 1:
        features.add(match.phrase.kind, "name.phrase")


def _last_concept(header: Header) -> str:
    rest = header.rest
    if not rest or rest[-1] != len(header.words) - 1:
        return ""
    return headers.concepts().get(header.words[-1], "other")


def _concepts(found: Sequence[str], prefix: str) -> dict[str, float]:
    listed = headers.concepts()
    return {f"{prefix}.{listed[word]}": 1.0 for word in found if word in listed}


@cache
def detectors_of() -> dict[str, tuple[str, ...]]:
    """Return kind -> the detectors and classifier ids that speak for it."""
    kinds: dict[str, list[str]] = {}
    for entry in classifiers():
        own = (entry.id,) if entry.check or entry.shape else ()
        kinds.setdefault(entry.kind, []).extend((*entry.detectors, *own))
    return {kind: tuple(dict.fromkeys(found)) for kind, found in kinds.items()}


def support(evidence: Evidence) -> dict[str, float]:
    """Return kind -> share of values that its best detector accepts."""
    rates = {}
    for kind, detectors in detectors_of().items():
        best = max((_rate(evidence, name) for name in detectors), default=0.0)
        if best:
            rates[kind] = best
    return rates


def _rate(evidence: Evidence, name: str) -> float:
    """Return the share of hits, drawn towards 0 where few values were read."""
    count = evidence.tried.get(name, evidence.sampled)
    hits = evidence.hits.get(name, 0)
    if hits > count:
        hits = count
    return hits / (count + 0.5)


def lift(evidence: Evidence, entry: Classifier) -> float:
    """Return the log-odds that the column is of a type, by hits over chance, few values included.

    Each value that passes is worth ln(expected / chance) and each that fails
    ln((1 - expected) / (1 - chance)): the posterior of two hypotheses about the column.
    """
    told_by = entry.decisive or entry.id
    count = evidence.tried.get(told_by, evidence.sampled)
    hits = min(evidence.hits.get(told_by, 0), count)
    if not hits or entry.chance >= _EXPECTED:
        return 0.0
    chance = max(entry.chance, 1e-4)
    gain = hits * math.log(_EXPECTED / chance)
    loss = (count - hits) * math.log((1 - _EXPECTED) / (1 - chance))
    return min(max(gain + loss, _FLOOR), next(most for c, most in _CEILINGS if chance <= c))


def _values(features: Features, evidence: Evidence, header: Header) -> None:
    for name in evidence.hits:
        rate = _rate(evidence, name)
        if name in _packed():
            continue
        features.all[f"value.{name}"] = rate
        if rate > 0.7:
            features.all[f"value.{name}.most"] = 1.0
        if header.silent:
            features.all[f"alone.{name}"] = rate
    _lifts(features, evidence, header)
    if evidence.distinct <= 3:
        features.all[f"few.{evidence.distinct}"] = 1.0
    supported = support(evidence)
    for kind, found in list(features.own.items()):
        match = found.get("name.match", 0.0)
        rate = supported.get(kind, 0.0)
        features.add(kind, "both.agree", match * rate)
        if kind in detectors_of():
            features.add(kind, "both.clash", match * (1 - rate))
    for kind, rate in supported.items():
        features.add(kind, "value.rate", rate)
    features.all.update(_description(evidence))


@cache
def _packed() -> frozenset[str]:
    return frozenset(entry.id for entry in classifiers() if entry.check or entry.shape)


def _lifts(features: Features, evidence: Evidence, header: Header) -> None:
    """Add each kind's best lift, less the log of how many classifiers of it had a chance."""
    found: dict[str, list[float]] = {}
    for entry in classifiers():
        if (entry.decisive or entry.id) in evidence.hits:
            found.setdefault(entry.kind, []).append(lift(evidence, entry))
    for kind, lifts in found.items():
        best = max(lifts) - math.log(len(lifts))
        features.add(kind, "value.lift", max(best, _FLOOR) / 5)
        if best > 0:
            features.all[f"lift.{kind}"] = best / 5
        if header.silent:
            features.add(kind, "alone.lift", max(best, _FLOOR) / 5)


def _description(evidence: Evidence) -> Iterable[tuple[str, float]]:
    yield "many.distinct", math.log10(evidence.distinct)
    yield "many.unique", evidence.distinct / max(evidence.rows, 1)
    if evidence.distinct <= 2:
        yield "many.two", 1.0
    elif evidence.distinct <= 8 and evidence.rows >= 4 * evidence.distinct:
        yield "many.few", 1.0
    mean, longest = evidence.length[1], evidence.length[2]
    for limit in (2, 4, 7, 12, 20, 40, 100):
        if mean <= limit:
            yield f"length.to{limit}", 1.0
            break
    else:
        yield "length.long", 1.0
    if evidence.length[0] == longest:
        yield "length.same", 1.0
    for count in (1.2, 2.2, 3.5, 6, 12):
        if evidence.words <= count:
            yield f"length.words{count:g}", 1.0
            break
    else:
        yield "length.text", 1.0
    for name, share in evidence.characters.items():
        yield f"chars.{name}", share
    if evidence.sampled >= 8 and evidence.words >= 1.5:
        yield "words.recurring", evidence.recurring
    yield from _number_features(evidence)
    yield from _date_features(evidence)


def _number_features(evidence: Evidence) -> Iterable[tuple[str, float]]:
    numbers = evidence.numbers
    if numbers is None:
        return
    share = numbers.count / evidence.sampled
    yield "number.share", share
    if share < 0.8:
        return
    whole = numbers.integers == numbers.count
    if whole and evidence.length[1] >= 6:
        yield "digits.opening", numbers.opening
    yield "number.whole" if whole else "number.decimal", 1.0
    if numbers.negatives:
        yield "number.negative", 1.0
    if numbers.decimals >= 3:
        yield "number.precise", 1.0
    low, mid, high = numbers.minimum, numbers.median, numbers.maximum
    if low >= 0 and high <= 120:
        yield "number.to120", 1.0
        if 14 <= mid <= 80 and high >= 25:
            yield "number.ages", 1.0
    if low >= -90 and high <= 90 and numbers.decimals >= 2.5:
        yield "number.latitude", 1.0
    if low >= -180 and high <= 180 and numbers.decimals >= 2.5:
        yield "number.longitude", 1.0
    if whole and 1700 <= low and high <= 2100:
        yield "number.years", 1.0
    if numbers.sequential:
        yield "number.sequential", 1.0
    yield "number.magnitude", min(math.log10(abs(high) + 1) / 10, 2.0)


def _date_features(evidence: Evidence) -> Iterable[tuple[str, float]]:
    dates = evidence.dates
    if dates is None:
        return
    share = dates.count / evidence.sampled
    yield "date.share", share
    if share < 0.6:
        return
    first, early, mid, late, last = dates.years
    if 1900 <= first and last <= 2012:
        yield "date.adults", 1.0
    if last >= 2015 and early <= 2000:
        yield "date.until.now", 1.0
    yield "date.firsts", dates.firsts / dates.count
    yield "date.timed", dates.timed / dates.count
    if 1930 <= mid <= 2004:
        yield "date.births", 1.0
        if dates.timed == 0 and late - early >= 8:
            yield "date.births.spread", 1.0
    if mid >= 2008:
        yield "date.recent", 1.0
    if late - early <= 3:
        yield "date.narrow", 1.0
    if last >= 2026:
        yield "date.future", 1.0


def _siblings(features: Features, named: list[set[str]], seen: list[frozenset[str]]) -> None:
    around = set().union(*named) if named else set()
    for kind in around:
        features.all[f"beside.{kind}"] = 1.0
    personal = len(around & _PERSONAL)
    features.all["beside.personal"] = min(personal, 4) / 4
    near = frozenset().union(*seen)
    for kind in near:
        features.all[f"near.{kind}"] = 1.0
    features.all["near.personal"] = min(len(near & SHOWN_PERSONAL), 3) / 3
    if len(named) == 0:
        features.all["beside.nothing"] = 1.0
    for kind in list(features.own):
        if any(kind in others for others in named):
            features.add(kind, "beside.same")


def _pairs(at: int, columns: Sequence[ColumnEvidence]) -> Iterable[tuple[str, float]]:
    """Yield whether a neighbour holds the other half of a coordinate."""
    own = degrees(columns[at].evidence)
    if own is None:
        return
    beside = [
        columns[to].evidence for to in (at - 2, at - 1, at + 1, at + 2) if 0 <= to < len(columns)
    ]
    others = [found for found in map(degrees, beside) if found is not None]
    paired = [other for other in others if own.pairs_with(other)]
    crowd = sum(degrees(column.evidence) is not None for column in columns) > _COUPLE
    if paired:
        yield "pair.degrees", 1.0
    if crowd:
        yield "pair.crowd", 1.0
    elif paired and min(own.decimals, *(other.decimals for other in paired)) >= EXACT:
        yield "pair.exact", 1.0


def flatten(features: Features, kinds: Sequence[str]) -> Mapping[str, float]:
    """Return the features under one name space, for reports."""
    own = {f"{kind}:{n}": v for kind in kinds for n, v in features.own.get(kind, {}).items()}
    return {**features.all, **own}


def column_features(column: ColumnEvidence) -> Features:
    """Return the features of a column that stands alone."""
    return table_features(TableEvidence(columns=(column,)))[0]
