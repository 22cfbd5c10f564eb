"""What is known of users' classifiers before they are saved: chance, collisions, own examples."""

from collections.abc import Sequence
from dataclasses import dataclass

from racine.governance.classifications import measuring, own_examples
from racine.governance.classifications.catalogue import Classifier, classifiers
from racine.governance.classifications.measuring import Collision


@dataclass(frozen=True)
class Report:
    """How often classifiers accept values by chance, whom they meet, and what they get wrong."""

    chance_rates: dict[str, dict[str, float]]
    """Classifier id -> null model -> share of its values accepted."""
    collisions: list[Collision]
    failures: list[str]
    """Examples of their own that they judge otherwise than stated."""


def report(
    entries: Sequence[Classifier], beside: Sequence[Classifier] = (), draws: int = measuring.DRAWS
) -> Report:
    """Return what is measured of the entries, against the built-in classifiers and `beside`."""
    measured = [entry for entry in entries if _readable(entry)]
    known = {entry.id: entry for entry in (*classifiers(), *beside, *entries) if _readable(entry)}
    return Report(
        {entry.id: measuring.chance_rates(entry, draws) for entry in measured},
        measuring.collisions(list(known.values()), measured),
        [failure for entry in entries for failure in own_examples.failures(entry)],
    )


def _readable(entry: Classifier) -> bool:
    return bool(entry.shape or entry.check)
