"""Measure other tools on labelled tables.

    uv run python -m bench.classification.peers [--tables DIR] [--only NAME]

Without a folder, the tables of `bench/estates` whose sources are held out are measured. The last
line is JSON.
"""

import argparse
import json
import tempfile
from pathlib import Path

from bench import estates
from bench.classification.labelled import LabelledTable, load
from bench.classification.peers import compare, line, markdown
from bench.classification.peers.environments import PEERS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=Path, help="a folder of tables/ and labels.json")
    parser.add_argument("--only", help="the name of one peer")
    given = parser.parse_args()
    tables = list(load(given.tables)) if given.tables else _held_out()
    peers = [peer for peer in PEERS if given.only in (None, peer.name)]
    results = compare(tables, peers)
    print(markdown(results))
    print(json.dumps(line(results)))


def _held_out() -> list[LabelledTable]:
    held, sources = estates.holdout(), estates.sources()
    with tempfile.TemporaryDirectory() as folder:
        estates.write(Path(folder))
        return [table for table in load(Path(folder)) if sources[table.name] in held]


if __name__ == "__main__":
    main()
