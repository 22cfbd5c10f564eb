"""Runs the peers over labelled tables and scores what they answer."""

import json
import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from bench.classification.judging import judge
from bench.classification.labelled import CORE, EXTENDED, LabelledTable
from bench.classification.peers.environments import PEERS, Peer
from bench.classification.peers.kinds import translate
from bench.classification.scoring import Score
from bench.environments import TOOLS, interpreter
from racine.governance.classifications.evidence import Evidence
from racine.governance.classifications.gathering import gather
from racine.governance.classifications.model import shipped

ROWS = 200
RUN_SECONDS = 1800

Answers = dict[str, dict[str, list[str]]]


@dataclass
class Result:
    """A tool's scores on the same tables, once with their headers and once without."""

    name: str
    named: Score = field(default_factory=Score)
    silent: Score = field(default_factory=Score)
    failure: str = ""


def compare(
    tables: Sequence[LabelledTable],
    peers: Iterable[Peer] = PEERS,
    tools: Path = TOOLS,
    *,
    only: str | None = None,
) -> list[Result]:
    """Every peer's result, in order; one that does not run says why instead of a score.

    `only` names the one that is asked. Environments are made under `tools` where they are missing.
    """
    return [
        _measure(peer, tables, tools)
        if only in (None, peer.name)
        else Result(f"{peer.name} {peer.version}", failure="it was not asked for")
        for peer in peers
    ]


def racine(tables: Sequence[LabelledTable]) -> Result:
    """Racine's own result on the rows that peers get."""
    read = [(table, {name: _gathered(table, name) for name in table.columns}) for table in tables]
    named, silent = judge(read, True).score, judge(read, False).score
    return Result(f"racine, detectors {shipped().version}", named, silent)


def _gathered(table: LabelledTable, column: str) -> Evidence:
    return gather(Counter(islice(table.columns[column].elements(), ROWS)))


def _measure(peer: Peer, tables: Sequence[LabelledTable], tools: Path) -> Result:
    result = Result(f"{peer.name} {peer.version}")
    try:
        python = str(interpreter(peer.lock, peer.python, tools))
        result.named = score(tables, _ask(peer, python, tables, named=True))
        if peer.reads_values:
            result.silent = score(tables, _ask(peer, python, tables, named=False))
    except subprocess.CalledProcessError as error:
        result.failure = (error.stderr or str(error)).strip().splitlines()[-1]
    except subprocess.TimeoutExpired as error:
        result.failure = f"took longer than {error.timeout:.0f} s"
    return result


def score(tables: Sequence[LabelledTable], answers: Answers) -> Score:
    """The score of answers in our kinds, by table and column."""
    total = Score()
    for table in tables:
        for column, label in table.labels.items():
            total.add(label, answers.get(table.name, {}).get(column, []))
    return total


def _ask(peer: Peer, python: str, tables: Sequence[LabelledTable], *, named: bool) -> Answers:
    names = {
        table.name: {column if named else f"column_{i}": column for i, column in _columns(table)}
        for table in tables
    }
    question = {
        table.name: {
            shown: list(islice(table.columns[column].elements(), ROWS))
            for shown, column in names[table.name].items()
        }
        for table in tables
    }
    told = _run(python, peer, json.dumps(question))
    return {
        table: {
            names[table][shown]: translate(peer.name, found) for shown, found in columns.items()
        }
        for table, columns in told.items()
    }


def _columns(table: LabelledTable) -> Iterable[tuple[int, str]]:
    return enumerate(table.columns)


def _run(python: str, peer: Peer, question: str) -> Answers:
    done = subprocess.run(
        [python, str(peer.runner)],
        input=question,
        check=True,
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
    )
    answers: Answers = json.loads(done.stdout)
    return answers


def markdown(results: Sequence[Result], published: str = "") -> str:
    """The comparison as a Markdown table; Racine's own `Result` may stand among the others.

    A peer that does not run on this machine keeps the row that was `published` of it, marked so.
    """
    lines = [
        "| tool | CORE F1 with headers (P/R) | EXT F1 | CORE F1, values only | EXT F1, values only "
        "| look-alikes flagged |",
        "|---|---|---|---|---|---|",
    ]
    for result in results:
        if result.failure:
            failed = f"| {result.name} | did not run: {result.failure} | | | | |"
            lines.append(_published(result.name, published) or failed)
        else:
            lines.append(_row(result))
    return "\n".join(lines)


def _published(name: str, table: str) -> str:
    """Return the row of a tool and version with its figures, or nothing."""
    for row in table.splitlines():
        told, _, figures = row.removeprefix("| ").partition(" | ")
        if told.removesuffix(_EARLIER) == name and not figures.startswith("did not run"):
            return f"| {name}{_EARLIER} | {figures}"
    return ""


_EARLIER = " (measured earlier)"


def _row(result: Result) -> str:
    precision, recall, core, _ = result.named.micro(CORE)
    cells = (
        result.name,
        f"{core:.2f} ({precision:.2f}/{recall:.2f})",
        *(f"{_f1(s, kinds):.2f}" for s, kinds in (
            (result.named, EXTENDED), (result.silent, CORE), (result.silent, EXTENDED)
        )),
        f"{result.named.alarms} of {result.named.traps}",
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


def _f1(score: Score, kinds: Iterable[str]) -> float:
    return score.micro(kinds)[2]


def line(results: Sequence[Result]) -> Mapping[str, Any]:
    """The same figures for machines."""
    return {result.name: _figures(result) for result in results}


def _figures(result: Result) -> dict[str, Any]:
    if result.failure:
        return {"failure": result.failure}
    precision, recall, core, columns = result.named.micro(CORE)
    return {
        "core": {"precision": round(precision, 4), "recall": round(recall, 4)},
        "core_f1": round(core, 4),
        "core_columns": columns,
        "ext_f1": round(_f1(result.named, EXTENDED), 4),
        "core_f1_values": round(_f1(result.silent, CORE), 4),
        "ext_f1_values": round(_f1(result.silent, EXTENDED), 4),
        "alarms": result.named.alarms,
        "look_alikes": result.named.traps,
    }
