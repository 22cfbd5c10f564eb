"""Whether the values of a classified column still validate, which proves that they can be read."""

from racine.governance.classifications.catalogue import Classifier
from racine.governance.classifications.evidence import Classification, Evidence

SHARE = 0.1
"""Share of sampled distinct values, beyond chance, from which a column counts as readable: a few
valid ones among tokens are what chance gives (Luhn and issuer together accept 2 % of random
digits, a bare Luhn 10 %)."""


def checked(entry: Classifier, evidence: Evidence) -> tuple[int, int] | None:
    """Return how many sampled values a check of the type accepts, and of how many put to it.

    None where no check of the type read the column. A mere shape is no check.
    """
    checks = [name for name in (entry.id, *entry.detectors) if not name.endswith("_shape")]
    counts = [
        (min(evidence.hits[name], tried), tried)
        for name in checks
        if name in evidence.hits and (tried := evidence.tried.get(name, evidence.sampled))
    ]
    return max(counts, key=lambda pair: pair[0] / pair[1], default=None)


def is_readable(entry: Classifier, found: Classification, evidence: Evidence) -> bool:
    """Tell whether sampled values stand in cleartext."""
    counted = checked(entry, evidence)
    if counted is None:
        # Types known by lists and distributions have no check: there the values spoke for them.
        return not entry.detectors and found.evidence.values > 0
    chance = entry.chance if entry.chance < 1 else 0.0
    accepted, tried = counted
    return accepted / tried >= chance + SHARE
