"""Decides for each asset of a source whether a scan reads it, how, why, and in which order."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any


class Mode(StrEnum):
    """What a plan reads beside what is new, was changed in its schema or is judged anew."""

    FULL = "full"
    CHANGED = "changed"
    WATERMARK = "watermark"
    SCHEMA = "schema"
    AGE = "age"


class Action(StrEnum):
    READ = "read"
    CARRY = "carry"


class Reach(StrEnum):
    """How much of an asset is read."""

    WHOLE = "whole"
    SINCE = "since"
    PARTS = "parts"


@dataclass(frozen=True)
class Wish:
    """What the rules of an asset ask of a plan."""

    mode: Mode = Mode.CHANGED
    older_than_days: float = 0.0
    watermark: str = ""
    """The column by which new rows are told, empty for none."""


@dataclass(frozen=True)
class Listed:
    """An asset as the source lists it now."""

    name: str
    shape: str
    fingerprint: str = ""
    rows: int | None = None
    uses: int | None = None
    parts: Mapping[str, str] = field(default_factory=dict)
    """Fingerprint of each part by its name."""
    columns: Collection[str] = ()
    picks_rows: bool = False
    """The connector can read from a bound."""


@dataclass(frozen=True)
class Known:
    """The same asset as the scans before left it."""

    read_at: datetime
    shape: str
    basis: str
    fingerprint: str = ""
    sensitivity: str = ""
    left_out: int = 0
    watermark: Mapping[str, Any] = field(default_factory=dict)
    parts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Decision:
    action: Action
    why: str
    reach: Reach = Reach.WHOLE
    new_parts: tuple[str, ...] = ()
    """With `PARTS`, those that are read."""
    score: float = 0.0
    order: tuple[str, ...] = ()
    """What the score is made of, in words."""

    def to_json(self) -> dict[str, Any]:
        return {
            "action": self.action.value,
            "reach": self.reach.value,
            "why": self.why,
            "score": self.score,
            "order": list(self.order),
            "new_parts": list(self.new_parts),
        }


def plan(
    listed: Listed, known: Known | None, wish: Wish, *, basis: str, now: datetime, left_out: int = 0
) -> Decision:
    """Return what a scan does with an asset; `basis` names the detectors and the sample of today.

    `left_out` counts the scans before whose budget ended before its turn.
    """
    made = _decided(listed, known, wish, basis, now)
    if made.action is Action.CARRY:
        return made
    score, order = _score(listed, known, now, left_out)
    return Decision(made.action, made.why, made.reach, made.new_parts, score, order)


def _decided(
    listed: Listed, known: Known | None, wish: Wish, basis: str, now: datetime
) -> Decision:
    if known is None:
        return Decision(Action.READ, "It was never read.")
    if known.shape != listed.shape:
        return Decision(Action.READ, "Its columns or their types changed.")
    if known.basis != basis:
        return Decision(Action.READ, "The detectors or the sample changed since it was read.")
    if wish.mode is Mode.FULL:
        return Decision(Action.READ, "The plan reads everything.")
    if wish.mode is Mode.SCHEMA:
        return Decision(Action.CARRY, "Its columns are the same.")
    if wish.mode is Mode.AGE:
        return _by_age(known, wish, now)
    return _by_change(listed, known, wish)


def _by_age(known: Known, wish: Wish, now: datetime) -> Decision:
    days = (now - known.read_at) / timedelta(days=1)
    if days >= wish.older_than_days:
        return Decision(Action.READ, f"It was read {days:.1f} days ago.")
    return Decision(Action.CARRY, f"It was read {days:.1f} days ago, not {wish.older_than_days:g}.")


def _by_change(listed: Listed, known: Known, wish: Wish) -> Decision:
    if listed.fingerprint and listed.fingerprint == known.fingerprint:
        return Decision(Action.CARRY, "Its change marker is the same.")
    if wish.mode is Mode.WATERMARK and (since := _since(listed, known, wish)):
        return since
    if fresh := _only_new(listed.parts, known.parts):
        why = f"{len(fresh)} of its {len(listed.parts)} parts are new, the others the same."
        return Decision(Action.READ, why, Reach.PARTS, fresh)
    if not listed.fingerprint:
        return Decision(Action.READ, "Its source cannot tell whether it changed.")
    return Decision(Action.READ, "Its change marker is another one.")


def _since(listed: Listed, known: Known, wish: Wish) -> Decision | None:
    kept = known.watermark
    if not listed.picks_rows or not kept or kept.get("column") != wish.watermark:
        return None
    if wish.watermark not in listed.columns:
        return None
    return Decision(Action.READ, f"Only rows with a greater {wish.watermark}.", Reach.SINCE)


def _only_new(parts: Mapping[str, str], before: Mapping[str, str]) -> tuple[str, ...]:
    """Return the new parts where those read before are all there and the same, else none."""
    if not before or any(not mark or parts.get(name) != mark for name, mark in before.items()):
        return ()
    return tuple(name for name in parts if name not in before)


_RANKS = {"restricted": 3, "confidential": 2, "internal": 1}


def _score(
    listed: Listed, known: Known | None, now: datetime, left_out: int
) -> tuple[float, tuple[str, ...]]:
    """Return what makes an asset come first: left out before, sensitive, used, long not read.

    The weights are our own: one step of sensitivity outweighs a thousandfold of use.
    """
    terms: list[tuple[float, str]] = []
    if left_out:
        terms.append((100.0 * left_out, f"left out of {left_out} scans"))
    if known is None:
        terms.append((5.0, "never read"))
    else:
        days = max(0.0, (now - known.read_at) / timedelta(days=1))
        terms.append((math.log2(1 + days), f"read {days:.1f} days ago"))
        if rank := _RANKS.get(known.sensitivity, 0):
            terms.append((10.0 * rank, known.sensitivity))
    if listed.uses:
        terms.append((3 * math.log10(1 + listed.uses), f"used {listed.uses} times"))
    return round(sum(weight for weight, _ in terms), 3), tuple(words for _, words in terms)
