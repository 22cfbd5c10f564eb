"""The learned weights: log-odds that each piece of evidence adds for each kind.

`data/model.json` is written by `python -m bench.classification.train`, which it names together with
the tables it learned from. Per kind there is a bias, weights for evidence about that kind (`own`,
shared by all kinds plus a deviation of each) and for what describes the column (`all`). The scores
of all kinds and of `none` go through a softmax, so each difference of two is a log-odds.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from racine.governance.classifications.features import Features

NONE = "none"


@dataclass(frozen=True, eq=False)
class Model:
    """Weights by kind, the threshold of each kind, and where they come from."""

    version: str
    kinds: tuple[str, ...]
    bias: Mapping[str, float]
    shared: Mapping[str, float]
    own: Mapping[str, Mapping[str, float]]
    all: Mapping[str, Mapping[str, float]]
    thresholds: Mapping[str, Mapping[str, float]]
    """Confidence a kind must reach where the header names it (`named`), speaks of something else
    or in unknown words (`unnamed`), or says nothing (`silent`)."""

    def contributions(self, features: Features, kind: str) -> dict[str, float]:
        """Return what each piece of evidence adds to a kind's score."""
        deviations, weights = self.own.get(kind, {}), self.all.get(kind, {})
        found = {
            name: value * (self.shared.get(name, 0.0) + deviations.get(name, 0.0))
            for name, value in features.own.get(kind, {}).items()
        }
        for name, value in features.all.items():
            if name in weights:
                found[name] = value * weights[name]
        return found

    def scores(self, features: Features) -> dict[str, float]:
        """Return every kind's score; `none` is one of them."""
        return {
            kind: self.bias.get(kind, 0.0) + sum(self.contributions(features, kind).values())
            for kind in self.kinds
        }

    def probabilities(self, features: Features) -> dict[str, float]:
        """Return every kind's probability, summing to one with `none`."""
        scores = self.scores(features)
        top = max(scores.values())
        grown = {kind: math.exp(score - top) for kind, score in scores.items()}
        total = sum(grown.values())
        return {kind: value / total for kind, value in grown.items()}


def parse(data: Mapping[str, Any]) -> Model:
    """Return the model that a parsed JSON document holds."""
    return Model(
        version=data["version"],
        kinds=tuple(data["kinds"]),
        bias=data["bias"],
        shared=data["shared"],
        own=data["own"],
        all=data["all"],
        thresholds=data["thresholds"],
    )


@cache
def shipped() -> Model:
    """Return the model that ships with this version."""
    text = resources.files(__package__).joinpath("data/model.json").read_text("utf-8")
    return parse(json.loads(text))
