"""What people answer to proposed verdicts: yes, no, or what the column holds instead."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

CONFIRMED, REJECTED, LEFT = "confirmed", "rejected", "left"
_KIND = re.compile(r"[a-z][a-z0-9_]{0,99}")


@dataclass(frozen=True)
class Word:
    """What one approver said: who, and the form they sent with their approval."""

    actor: str
    form: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True)
class Answer:
    """One verdict's answer: `confirmed`, `rejected`, `left` or a kind, and whose it is."""

    said: str
    by: str
    reason: str


@dataclass(frozen=True)
class Answers:
    """Answers by verdict id, and entries of the forms that could not be understood."""

    given: Mapping[str, Answer]
    not_understood: Sequence[str]


def read(words: Sequence[Word], proposed: Mapping[str, str]) -> Answers:
    """Return the answer to each proposal, a later approver's word before an earlier one's.

    `proposed` is verdict id -> `table.column`. A form is `{"decisions": {verdict id or
    table.column: "confirmed", "rejected", "left" or a kind}, "otherwise": "confirmed"}`; without
    one, an approval confirms what was proposed.
    """
    given: dict[str, Answer] = {}
    strange: list[str] = []
    for word in words:
        otherwise = word.form.get("otherwise", CONFIRMED)
        if otherwise not in (CONFIRMED, REJECTED, LEFT):
            strange.append(f"otherwise: {otherwise}")
            otherwise = LEFT
        decisions, more = _decisions(word.form, proposed)
        strange += more
        for verdict_id in proposed:
            if verdict_id in decisions or verdict_id not in given:
                said = decisions.get(verdict_id, otherwise)
                given[verdict_id] = Answer(said, word.actor, word.reason)
    return Answers(given, strange)


def _decisions(
    form: Mapping[str, Any], proposed: Mapping[str, str]
) -> tuple[dict[str, str], list[str]]:
    stated = form.get("decisions", {})
    if not isinstance(stated, Mapping):
        return {}, ["decisions: not an object"]
    found: dict[str, str] = {}
    strange = []
    for key, said in stated.items():
        meant = [v for v, column in proposed.items() if key in (v, column)]
        answer = said if isinstance(said, str) and _KIND.fullmatch(said) else LEFT
        if not meant or answer != said:
            strange.append(f"{key}: {said}"[:200])
        # What somebody meant to say otherwise is left, not confirmed against their will.
        found |= dict.fromkeys(meant, answer)
    return found, strange
