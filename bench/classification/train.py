"""Learn the weights of the column model from labelled tables.

    OMP_NUM_THREADS=1 uv run --with numpy --with scipy \\
        python -m bench.classification.train FOLDER… [--folds 4]

Each FOLDER holds `tables/` and `labels.json`; the sources of `bench.estates` that are to learn from
and the columns of `augment` are added. The tables stay where they are; what is kept are weights.
Thresholds come from folds that a model has not seen: sources, never tables, are dealt to them.
"""

import argparse
import hashlib
import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

from bench.classification.examples import Example, augmented, collect, examples, own
from bench.classification.labelled import EXTENDED, Label
from racine.governance.classifications import model as models
from racine.governance.classifications.deciding import Told, ruled_out, told
from racine.governance.classifications.features import Header, read_header

TARGET = Path("racine/governance/classifications/data/model.json")
OTHER = tuple(
    "organization occupation financial_amount marital_status ethnicity language passport "
    "bank_account medical".split()
)
KINDS = (models.NONE, *EXTENDED, *OTHER)
_WANTED: dict[Told, tuple[float, tuple[float, float]]] = {
    "named": (0.95, (0.5, 0.8)),
    "unnamed": (0.97, (0.75, 0.97)),
    "silent": (0.93, (0.6, 0.9)),
}
"""Precision that a threshold must reach on unseen sources, and the bounds it keeps."""
_PROVED_OTHERWISE = {"geo_coordinate": 0.6}
"""Thresholds of unnamed columns where a rule of `unproven` asks for more than the weights do."""
_SMALLEST = 0.02
"""Weights below this are dropped from the shipped model."""


class Design:
    """The examples as matrices: shared and own evidence of each kind, and the column's own."""

    def __init__(self, found: Sequence[Example]) -> None:
        self.all = _index(name for e in found for name in e.features.all)
        self.own = _index(n for e in found for own in e.features.own.values() for n in own)
        self.x = _sparse([e.features.all for e in found], self.all)
        self.z = [_sparse([e.features.own.get(k, {}) for e in found], self.own) for k in KINDS]
        self.y = np.array([_targets(e.label) for e in found])
        self.weight = np.array([e.weight for e in found])


def _index(names: Iterable[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    return {name: at for at, name in enumerate(sorted(n for n, c in counts.items() if c >= 4))}


def _sparse(rows: Sequence[dict[str, float]], index: dict[str, int]) -> Any:
    data, columns, starts = [], [], [0]
    for row in rows:
        for name, value in row.items():
            if name in index:
                columns.append(index[name])
                data.append(value)
        starts.append(len(data))
    return csr_matrix((data, columns, starts), shape=(len(rows), len(index)), dtype=float)


def _targets(label: Label) -> list[float]:
    """Spread the target over the kinds that are right, or over none and what is tolerated."""
    kinds = [k for k in KINDS if k in label.kinds]
    kinds = kinds or [models.NONE, *(k for k in KINDS if k in label.tolerate)]
    return [1 / len(kinds) if kind in kinds else 0.0 for kind in KINDS]


def fit(design: Design, rows: Any, penalty: float = 1.0) -> Any:
    """Return the weights that minimise cross-entropy plus L2, by L-BFGS."""
    x, y, weight = design.x[rows], design.y[rows], design.weight[rows]
    z = [matrix[rows] for matrix in design.z]
    count, wide, deep = len(KINDS), x.shape[1], len(design.own)
    sizes = (count, wide * count, deep, deep * count)
    cuts = np.cumsum(sizes)[:-1]
    strength = np.concatenate(
        [np.full(s, p) for s, p in zip(sizes, (0.01, 1.0, 0.1, 2.0), strict=True)]
    )

    def loss(theta: Any) -> tuple[float, Any]:
        bias, wide_w, shared, own = np.split(theta, cuts)
        wide_w, own = wide_w.reshape(wide, count), own.reshape(count, deep)
        scores = x @ wide_w + bias
        for k in range(count):
            scores[:, k] += z[k] @ (shared + own[k])
        scores -= scores.max(axis=1, keepdims=True)
        grown = np.exp(scores)
        p = grown / grown.sum(axis=1, keepdims=True)
        value = -(weight[:, None] * y * np.log(p + 1e-12)).sum()
        error = weight[:, None] * (p - y)
        per_kind = np.stack([z[k].T @ error[:, k] for k in range(count)])
        gradient = np.concatenate(
            [error.sum(axis=0), (x.T @ error).ravel(), per_kind.sum(axis=0), per_kind.ravel()]
        )
        value += 0.5 * penalty * (strength * theta**2).sum()
        return value, gradient + penalty * strength * theta

    found = minimize(
        loss, np.zeros(sum(sizes)), jac=True, method="L-BFGS-B", options={"maxiter": 150}
    )
    return np.split(found.x, cuts)


def as_document(design: Design, weights: Any, trained: dict[str, Any]) -> dict[str, Any]:
    """Return the weights as the JSON document that `racine…classifications.model` reads."""
    bias, wide, shared, own = weights
    wide, own = wide.reshape(len(design.all), len(KINDS)), own.reshape(len(KINDS), len(design.own))

    def kept(names: dict[str, int], values: Any) -> dict[str, float]:
        return {
            n: round(float(values[at]), 3)
            for n, at in names.items()
            if abs(values[at]) >= _SMALLEST
        }

    document = {
        "version": "",
        "trained": trained,
        "kinds": list(KINDS),
        "bias": {k: round(float(bias[i]), 3) for i, k in enumerate(KINDS)},
        "shared": kept(design.own, shared),
        "own": {k: kept(design.own, own[i]) for i, k in enumerate(KINDS)},
        "all": {k: kept(design.all, wide[:, i]) for i, k in enumerate(KINDS)},
        "thresholds": {},
    }
    document["version"] = hashlib.sha256(json.dumps(document).encode()).hexdigest()[:12]
    return document


def fold_of(source: str, count: int) -> int:
    """Deal a source to one of `count` folds, by a hash of its name."""
    return int(hashlib.sha256(source.encode()).hexdigest(), 16) % count


def predict(document: dict[str, Any], found: Sequence[Example]) -> list[dict[str, float]]:
    """Return the probabilities that a model gives to each example, 0 for what is ruled out."""
    model = models.parse(document)
    return [_allowed(example, model.probabilities(example.features)) for example in found]


def _allowed(example: Example, answer: dict[str, float]) -> dict[str, float]:
    header = _header(example)
    return {
        kind: 0.0
        if probability > 0.1 and ruled_out(kind, example.evidence, example.features, header)
        else probability
        for kind, probability in answer.items()
    }


def _header(example: Example) -> Header:
    return read_header(example.column if example.named else "column_1")


def cross_validate(
    found: Sequence[Example], count: int, penalty: float
) -> tuple[list[dict[str, float]], list[dict[str, Any]]]:
    """Return each example's probabilities by a model that saw no table of its source, and the
    models, one a fold."""
    design = Design(found)
    fold = np.array([fold_of(example.source, count) for example in found])
    answers: list[dict[str, float]] = [{} for _ in found]
    documents = []
    for at in range(count):
        document = as_document(design, fit(design, np.flatnonzero(fold != at), penalty), {})
        documents.append(document)
        unseen = np.flatnonzero(fold == at)
        for row, answer in zip(unseen, predict(document, [found[i] for i in unseen]), strict=True):
            answers[row] = answer
    return answers, documents


def thresholds(
    found: Sequence[Example],
    answers: Sequence[dict[str, float]],
    where: Told,
    precision: float,
    bounds: tuple[float, float],
) -> dict[str, float]:
    """Return per kind the threshold with the best F1 at the precision asked for."""
    chosen = {}
    for kind in KINDS[1:]:
        told_so = [
            (example, answer)
            for example, answer in zip(found, answers, strict=True)
            if told(kind, _header(example)) == where
        ]
        pairs = sorted(
            ((a[kind], _good(e.label, kind)) for e, a in told_so if _top(a) == kind), reverse=True
        )
        total = sum(kind in example.label.kinds for example, _ in told_so)
        chosen[kind] = _best(pairs, total, precision, bounds)
    return chosen


def _good(label: Label, kind: str) -> float:
    if kind in label.kinds | label.accept:
        return 1.0
    return math.nan if kind in label.tolerate else 0.0


def _top(answer: dict[str, float]) -> str:
    return max(answer, key=answer.__getitem__)


def _best(
    pairs: Sequence[tuple[float, float]], total: int, precision: float, bounds: tuple[float, float]
) -> float:
    """Return the threshold between two answers where F1 is best; few answers prove little."""
    best, chosen, right, wrong = -1.0, 0.6, 2.0, 0.0
    for at, (probability, good) in enumerate(pairs):
        right, wrong = right + (good == 1.0), wrong + (good == 0.0)
        follows = pairs[at + 1][0] if at + 1 < len(pairs) else 0.0
        f1 = 2 * right / (right + wrong + total + 2)
        if right / (right + wrong) >= precision and f1 >= best:
            best, chosen = f1, (probability + follows) / 2
    return round(min(max(chosen, bounds[0]), bounds[1]), 3)


def all_thresholds(
    found: Sequence[Example], answers: Sequence[dict[str, float]]
) -> dict[str, dict[str, float]]:
    """Return the thresholds for headers that name the kind, speak of something else, or say
    nothing."""
    real = [at for at, e in enumerate(found) if e.set != "made"]
    judged = [found[i] for i in real], [answers[i] for i in real]
    chosen: dict[str, dict[str, float]] = {}
    for where, wanted in _WANTED.items():
        chosen[where] = thresholds(*judged, where, *wanted)
    chosen["silent"] |= _PROVED_OTHERWISE
    return {**chosen}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--folds", type=int, default=4)
    parser.add_argument("--penalty", type=float, default=1.0)
    given = parser.parse_args()
    tables = collect(given.folders) + own("learned")
    found = examples(tables) + augmented()
    answers, _ = cross_validate(found, given.folds, given.penalty)
    design = Design(found)
    trained = {
        "command": "python -m bench.classification.train",
        "tables": len(tables),
        "columns": len(found),
        "sources": len({e.source for e in found}),
        "penalty": given.penalty,
    }
    document = as_document(design, fit(design, np.arange(len(found)), given.penalty), trained)
    document["thresholds"] = all_thresholds(found, answers)
    TARGET.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", "utf-8")
    print(f"{TARGET}: {TARGET.stat().st_size} bytes, version {document['version']}")


if __name__ == "__main__":
    main()
