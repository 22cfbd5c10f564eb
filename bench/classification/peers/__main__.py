"""Measure other tools on labelled tables.

    uv run python -m bench.classification.peers [--tables DIR] [--only NAME] [--write]

Without a folder, the fresh tables of `bench/estates` are measured. Racine is measured beside them,
on the same rows. `--write` puts the table into `docs/guide/accuracy.md`. The last line is JSON.
"""

import argparse
import json
from pathlib import Path

from bench.classification import report
from bench.classification.examples import own_tables
from bench.classification.labelled import load
from bench.classification.peers import compare, line, markdown, racine


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=Path, help="a folder of tables/ and labels.json")
    parser.add_argument("--only", help="the name of one peer; `racine` asks none")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    tables = list(load(given.tables)) if given.tables else own_tables("fresh")
    results = [racine(tables), *compare(tables, only=given.only)]
    print(markdown(results))
    if given.write:
        report.write(markdown(results, report.read("peers")), "peers")
    print(json.dumps(line(results)))


if __name__ == "__main__":
    main()
