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
    """The score of one set, and how sure the classifier was of each type it ranked."""

    score: Score = field(default_factory=Score)
    confidences: list[tuple[float, bool]] = field(default_factory=list)

    def add(self, label: Label, found: Sequence[str], ranked: Sequence[tuple[str, float]]) -> None:
        """Count a column: the kinds reported, and the confidence of every kind ranked.

        Confidence is compared for the kinds that labels name in full, those of EXT.
        """
        self.score.add(label, found)
        good = label.kinds | label.accept
        told = [(k, c) for k, c in ranked if k in EXTENDED and k not in label.tolerate]
        self.confidences += [(confidence, kind in good) for kind, confidence in told]

    @property
    def calibration_error(self) -> float:
        """The expected calibration error: confidence against share right, mean over ten bins of
        equal width, each by its number of answers."""
        bins: dict[int, list[tuple[float, bool]]] = defaultdict(list)
        for confidence, good in self.confidences:
            bins[min(int(confidence * 10), 9)].append((confidence, good))
        gaps = [abs(sum(c for c, _ in found) - sum(g for _, g in found)) for found in bins.values()]
        return sum(gaps) / max(len(self.confidences), 1)
