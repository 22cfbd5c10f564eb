"""Precision, recall and F1 over columns, and the look-alikes that were flagged."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bench.classification.labelled import EXTENDED, Label


@dataclass
class Score:
    """Counts of right, wrong and missed kinds, in total and by kind."""

    right: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    confusion: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    traps: int = 0
    alarms: int = 0

    def add(self, label: Label, found: Sequence[str]) -> list[str]:
        """Count one column and return what went wrong with it, one `kind-` or `kind+` each."""
        faults = []
        good = label.kinds | label.accept
        for kind in found:
            if kind in label.kinds:
                self.right[kind] += 1
            elif kind in label.accept:
                self.right[next(iter(label.kinds), kind)] += 1
            elif kind not in label.tolerate:
                self.wrong[kind] += 1
                self.confusion[next(iter(sorted(label.kinds)), "none"), kind] += 1
                faults.append(f"{kind}+")
        for kind in label.kinds:
            if kind not in found and not label.accept & set(found):
                self.missed[kind] += 1
                faults.append(f"{kind}-")
                if not found:
                    self.confusion[kind, "none"] += 1
        if label.trap and not label.kinds & set(EXTENDED):
            self.traps += 1
            self.alarms += any(k in EXTENDED and k not in good | label.tolerate for k in found)
        return faults

    def micro(self, kinds: Iterable[str]) -> tuple[float, float, float, int]:
        """Return precision, recall, F1 and the number of columns of the given kinds."""
        chosen = tuple(kinds)
        right = sum(self.right[k] for k in chosen)
        wrong = sum(self.wrong[k] for k in chosen)
        missed = sum(self.missed[k] for k in chosen)
        precision = right / (right + wrong) if right + wrong else 0.0
        recall = right / (right + missed) if right + missed else 0.0
        f1 = 2 * right / (2 * right + wrong + missed) if right else 0.0
        return precision, recall, f1, right + missed


@dataclass
class Measured:
    """The score of one set, and how sure the classifier was of what it said."""

    score: Score = field(default_factory=Score)
    confidences: list[tuple[float, bool]] = field(default_factory=list)

    def add(self, label: Label, found: Sequence[tuple[str, float]]) -> None:
        self.score.add(label, [kind for kind, _ in found])
        good = label.kinds | label.accept
        self.confidences += [(c, kind in good) for kind, c in found if kind not in label.tolerate]
