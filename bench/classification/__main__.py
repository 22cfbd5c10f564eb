"""Measure the classifier on labelled tables.

    uv run python -m bench.classification [FOLDER…] [--write] [--no-speed]
    OMP_NUM_THREADS=1 uv run --with numpy --with scipy \\
        python -m bench.classification FOLDER… --folds 4 [--write]

Without folds the shipped model is measured on our own tables (it learned from one part of them) and
on each FOLDER, and then how many rows a second it reads. With folds, each source of the folders and
of what we learn from is judged by a model that saw none of its tables. `--write` puts the tables
into `docs/guide/accuracy.md`. The last line is JSON.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.classification import report, speed
from bench.classification.examples import (
    Gathered,
    Part,
    augmented,
    collect,
    examples,
    own,
)
from bench.classification.judging import DEFAULT, EVERY_PACK, FEW_PACKS, judge
from bench.classification.scoring import Measured
from racine.governance.classifications.model import parse

_PARTS: dict[Part, str] = {
    "fresh": "own fresh sources",
    "drawn": "own drawn third",
    "learned": "own sources learned from",
}


def judge_unseen(tables: Sequence[Gathered], folds: int) -> dict[str, Measured]:
    """Return the scores by models that saw no table of the judged source."""
    from bench.classification import train  # numpy and scipy are needed for this alone

    tables = [*tables, *own("learned")]
    found = examples(tables) + augmented()
    answers, documents = train.cross_validate(found, folds, 1.0)
    chosen = train.all_thresholds(found, answers)
    results: dict[str, Measured] = {}
    for at, document in enumerate(documents):
        model = parse({**document, "thresholds": chosen})
        unseen = [pair for pair in tables if train.fold_of(pair[0].source, folds) == at]
        for pair in unseen:
            for named in (True, False):
                if named and all(name.startswith("column_") for name in pair[0].columns):
                    continue
                name = f"{pair[0].set}, {'with headers' if named else 'values only'}, unseen"
                results[name] = judge([pair], named, DEFAULT, model, results.get(name))
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--folds", type=int, default=0)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--no-speed", action="store_true", help="leave the speed unmeasured")
    given = parser.parse_args()
    tables = collect(given.folders)
    results = judge_unseen(tables, given.folds) if given.folds else _shipped(tables)
    text = report.markdown(results, folds=given.folds)
    print(text)
    if given.write:
        report.write(text, "unseen" if given.folds else "shipped")
    line = _line(results)
    if not (given.folds or given.no_speed):
        line["speed"] = _speed(write=given.write)
    print(json.dumps(line))


def _speed(*, write: bool) -> dict[str, float]:
    measured = speed.measure()
    text = speed.markdown(measured)
    print(text)
    if write:
        report.write(text, "speed")
    return speed.summary(measured)


def _shipped(tables: Sequence[Gathered]) -> dict[str, Measured]:
    results = {}
    for part, name in _PARTS.items():
        found = own(part)
        for named, how in ((True, "with headers"), (False, "values only")):
            results[f"{name}, {how}"] = judge(found, named)
            if part == "fresh":
                results[f"{name}, {how}, every pack named"] = judge(found, named, EVERY_PACK)
                results[f"{name}, {how}, four packs only"] = judge(found, named, FEW_PACKS)
    for name in dict.fromkeys(table.set for table, _ in tables):
        chosen = [pair for pair in tables if pair[0].set == name]
        results[f"{name}, with headers (learned from)"] = judge(chosen, True)
        results[f"{name}, values only (learned from)"] = judge(chosen, False)
    return results


def _line(results: dict[str, Measured]) -> dict[str, Any]:
    return {name: report.summary(measured) for name, measured in results.items()}


if __name__ == "__main__":
    main()
