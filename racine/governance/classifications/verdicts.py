"""What a person decided against what detectors find: human verdicts are pinned."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

STAKES = {"restricted": 1.0, "confidential": 0.8, "internal": 0.5, "public": 0.3}
"""What a wrong label costs, relative: our own scale, used only to order the review queue."""


@dataclass(frozen=True)
class Found:
    """What one classifier says about a column at this scan; evidence holds no value."""

    classifier: str
    kind: str
    confidence: float
    applied: bool
    sensitivity: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    detector_version: str = ""
    readable: bool = False
    """Sampled values validate beyond chance: they stand in cleartext."""


@dataclass(frozen=True)
class Pin:
    """A person's standing decision about one classifier on one column."""

    classifier: str
    kind: str
    state: str
    """`confirmed` or `rejected`."""
    sensitivity: str


def effective(found: Sequence[Found], pins: Mapping[str, Pin]) -> list[dict[str, Any]]:
    """Return the classifications in force, best first: found and applied, as people decided."""
    kept = [
        _as_classification(item, pins.get(item.classifier))
        for item in found
        if _in_force(item, pins.get(item.classifier))
    ]
    named = {item["id"] for item in kept}
    stated = [
        {"id": pin.classifier, "kind": pin.kind, "confidence": 1.0, "state": "confirmed",
         "sensitivity": pin.sensitivity, "evidence": {"stated": "by a person"}}
        for pin in pins.values()
        if pin.state == "confirmed" and pin.classifier not in named
    ]  # fmt: skip
    return sorted(kept + stated, key=lambda item: (-item["confidence"], item["id"]))


def need(confidence: float, sensitivity: str, *, decided: bool) -> float:
    """Return how much a person's answer would tell, 0 to 1: entropy in bits times the stakes."""
    if decided:
        return 0.0
    p = min(max(confidence, 0.001), 0.999)
    entropy = -p * math.log2(p) - (1 - p) * math.log2(1 - p)
    return round(entropy * STAKES.get(sensitivity, 0.5), 4)


def _in_force(item: Found, pin: Pin | None) -> bool:
    return item.applied if pin is None else pin.state == "confirmed"


def _as_classification(item: Found, pin: Pin | None) -> dict[str, Any]:
    return {
        "id": item.classifier,
        "kind": item.kind,
        "confidence": 1.0 if pin else item.confidence,
        "state": "confirmed" if pin else "suggested",
        "sensitivity": item.sensitivity,
        "readable": item.readable,
        "evidence": dict(item.evidence),
        "detector_version": item.detector_version,
    }
