"""A remediation plan: what to do where, each step with the findings it would close.

Which findings close is tried out, not guessed: every finding keeps the facts that decided it, so a
step's outcome is judged by the same control over the facts as they would read afterwards.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from racine.governance.compliance.controls import SEVERITY_WEIGHT, Control
from racine.governance.compliance.facts import VOCABULARY, Level
from racine.governance.compliance.judgement import Judge

_UNTOLD = object()
"""Stands for the value of a fact that nobody can say beforehand."""


@dataclass(frozen=True)
class OpenFinding:
    """A finding as a plan needs it."""

    id: str
    control: Control
    source_id: str
    source: str
    table_id: str | None
    table: str
    subject_id: str
    subject: str
    level: Level
    result: str
    evidence: Mapping[str, Any]
    missing: tuple[str, ...] = ()
    owner: str | None = None

    @property
    def weight(self) -> int:
        return SEVERITY_WEIGHT[self.control.severity]


@dataclass(frozen=True)
class Step:
    """One thing to do in one place."""

    place_id: str
    place: str
    fact: str
    changes: str
    instruction: str
    owner: str
    closes: tuple[str, ...]
    """Ids of the findings that pass, or no longer apply, after this step and those before it."""
    decides: tuple[str, ...]
    """Ids of undecided findings that it brings nearer to an answer, whichever that is."""
    weight: int


@dataclass
class _Draft:
    place_id: str
    place: str
    fact: str
    value: Any
    serves: list[OpenFinding] = field(default_factory=list)

    @property
    def weight(self) -> int:
        """Failures that it serves, by severity; what is only undecided weighs nothing here."""
        return sum(found.weight for found in self.serves if found.result == "fail")

    @property
    def order(self) -> tuple[int, int, str, str]:
        return -self.weight, -sum(f.weight for f in self.serves), self.place, self.fact

    @property
    def leading(self) -> OpenFinding:
        """The worst finding it serves: its control's words instruct."""
        return max(self.serves, key=lambda found: (found.result == "fail", found.weight))


def plan(findings: Sequence[OpenFinding]) -> list[Step]:
    """Return the ordered steps that would close the findings, those of the worst failures first."""
    drafts: dict[tuple[str, str, str], _Draft] = {}
    for found in findings:
        for fact, value in _changes(found):
            place_id, place = _place(found, fact)
            draft = _Draft(place_id, place, fact, value)
            drafts.setdefault((place_id, fact, repr(value)), draft).serves.append(found)
    ordered = sorted(drafts.values(), key=lambda draft: draft.order)
    return list(_try_out(ordered, findings))


def _changes(found: OpenFinding) -> Iterator[tuple[str, Any]]:
    """Yield the facts that have to read otherwise, with the value where it can be said."""
    wanted = found.control.remediation.sets
    if found.result == "unknown":
        for name in found.missing:
            yield VOCABULARY[name].told_by or name, wanted.get(name, _UNTOLD)
        return
    for name, value in wanted.items():
        if not _is_settled(found.evidence, name, value):
            yield name, value


def _is_settled(evidence: Mapping[str, Any], name: str, value: Any) -> bool:
    """Tell whether a fact reads well already: any text or number that a person entered does."""
    known = evidence.get(name)
    if known is None:
        return False
    fact = VOCABULARY[name]
    free = fact.entered and not fact.words and fact.type in ("text", "integer")
    return free or bool(known == value)


def _place(found: OpenFinding, fact: str) -> tuple[str, str]:
    """Return where the change is best made: the source for what concerns it as a whole."""
    best = VOCABULARY[fact].levels[0] if VOCABULARY[fact].entered else found.level
    if best == "source":
        return found.source_id, found.source
    if best == "table" and found.table_id is not None:
        return found.table_id, found.table
    return found.subject_id, found.subject


def _try_out(drafts: Sequence[_Draft], findings: Sequence[OpenFinding]) -> Iterator[Step]:
    judge = Judge([])
    facts = {found.id: dict(found.evidence) for found in findings}
    still_open = {found.id for found in findings}
    for draft in drafts:
        closes = []
        for found in draft.serves:
            if draft.value is not _UNTOLD:
                facts[found.id][draft.fact] = draft.value
            result = judge.judge(found.control, facts[found.id]).result
            if found.id in still_open and result in ("pass", "not_applicable"):
                still_open.discard(found.id)
                closes.append(found.id)
        decides = [f.id for f in draft.serves if f.result == "unknown" and f.id not in closes]
        yield _step(draft, tuple(closes), tuple(decides))


def _step(draft: _Draft, closes: tuple[str, ...], decides: tuple[str, ...]) -> Step:
    remedy, fact = draft.leading.control.remediation, VOCABULARY[draft.fact]
    settles = draft.fact in remedy.sets and draft.leading.result == "fail"
    if settles:
        changes, instruction = remedy.changes, remedy.step
    elif fact.entered:
        changes, instruction = "record", f"Enter {fact.name}: {fact.meaning}."
    else:
        changes, instruction = "source", f"Scan again; not known so far: {fact.meaning}."
    return Step(
        draft.place_id, draft.place, draft.fact, changes, instruction,
        draft.leading.owner or remedy.role, closes, decides, draft.weight,
    )  # fmt: skip
