"""Judges one subject by one control, in three values.

CEL's own `&&` and `||` are Kleene's: an absent fact is an error, which they absorb where the other
side decides. So `false && absent` fails, `true && absent` is unknown, and nothing absent passes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from racine import expressions
from racine.errors import InvalidInput
from racine.governance.compliance.controls import CONTEXTS, Control, reads
from racine.governance.compliance.subjects import Subject

Result = Literal["pass", "fail", "unknown", "not_applicable"]


@dataclass(frozen=True)
class Judgement:
    """How a subject stands to a control, with the facts that decided."""

    result: Result
    evidence: Mapping[str, Any]
    missing: tuple[str, ...] = ()
    """Facts that nobody told or that are out of date, where the result is unknown."""


@dataclass
class Judge:
    """Judges many subjects; subjects alike in the facts that a condition reads are judged once."""

    controls: Sequence[Control]
    _known: dict[tuple[str, str], bool | None] = field(default_factory=dict)

    def judge(self, control: Control, facts: Mapping[str, Any]) -> Judgement:
        """Return the judgement of a subject whose known facts are given."""
        evidence = {name: facts[name] for name in control.evidence if name in facts}
        applies = self._holds(control.scope, facts)
        if applies is False:
            return Judgement("not_applicable", evidence)
        passes = self._holds(control.passes, facts)
        if applies is None or passes is None:
            return Judgement("unknown", evidence, self._missing(control, facts))
        return Judgement("pass" if passes else "fail", evidence)

    def _holds(self, condition: str, facts: Mapping[str, Any]) -> bool | None:
        read = {name: facts[name] for name in reads(condition) if name in facts}
        key = (condition, repr(read))
        if key not in self._known:
            self._known[key] = _evaluate(condition, read)
        return self._known[key]

    def _missing(self, control: Control, facts: Mapping[str, Any]) -> tuple[str, ...]:
        asked = dict.fromkeys((*reads(control.scope), *reads(control.passes)))
        return tuple(name for name in asked if name not in facts)


def assess(
    found: Iterable[Subject], controls: Sequence[Control]
) -> Iterator[tuple[Subject, Control, Judgement]]:
    """Judge every subject by the controls of its level; what does not apply is left out.

    A table that was not read is judged by the controls of columns too, in its columns' place.
    """
    judge = Judge(controls)
    for subject in found:
        for control in controls:
            if control.subject == subject.level or _stands_in(subject, control):
                judgement = judge.judge(control, subject.facts)
                if judgement.result != "not_applicable":
                    yield subject, control, judgement


def _stands_in(subject: Subject, control: Control) -> bool:
    return control.subject == "column" and subject.level == "table" and not subject.whole


def _evaluate(condition: str, facts: dict[str, Any]) -> bool | None:
    """Return the condition's truth, None where it cannot be told."""
    try:
        value = expressions.evaluate(condition, {"fact": facts}, CONTEXTS)
    except InvalidInput:
        if len(facts) == len(reads(condition)):
            raise  # every fact is there: the rule itself is wrong, and must not look undecided
        return None
    if not isinstance(value, bool):
        raise InvalidInput(f"{condition!r} gave {type(value).__name__}, a control needs a bool.")
    return value
