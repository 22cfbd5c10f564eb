"""How a one-shot scan looks on a terminal."""

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import track
from rich.table import Table

from activities.connectors.protocol import Asset
from racine.governance.classifications.wording import held, percent

_WIDTH = 200
"""Columns where no terminal tells: names in a log are better long than folded."""


class Progress:
    """Goes through assets and shows on stderr how far it is, where that is a terminal."""

    def __init__(self, assets: Sequence[Asset]) -> None:
        self._assets = assets

    def __iter__(self) -> Iterator[Asset]:
        console = Console(stderr=True)
        if not console.is_terminal:
            return iter(self._assets)
        return iter(track(self._assets, "Scanning", console=console, transient=True))


def print_table(report: dict[str, Any]) -> None:
    """Print the classified columns, what was irregular, the errors and the totals."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH)
    table = Table("asset", "column", "type", "holds", "confidence", "nulls", "distinct")
    for asset in report["assets"]:
        for column in asset["columns"]:
            for found in column["classifications"][:1]:
                table.add_row(
                    escape(asset["name"]), escape(column["name"]), escape(column["type"]),
                    held(found["kind"], found["mode"]), percent(found["confidence"]),
                    f"{column['nulls']:,}", f"{column['distinct']:,}",
                )  # fmt: skip
    if table.row_count:
        console.print(table)
    for asset in report["assets"]:
        for limit in asset["limits"]:
            rows = f"{asset['rows_read']:,} rows"
            console.print(
                f"[yellow]cut short[/] {escape(asset['name'])}: {rows}, budget of {limit}"
            )
        for what, count in asset["irregular"].items():
            console.print(f"[yellow]irregular[/] {escape(asset['name'])}: {count:,} {what}")
    for error in report["errors"]:
        place = f"{error['asset']}: " if error["asset"] else ""
        console.print(f"[red]error[/] {escape(place + error['message'])}")
    totals = report["totals"]
    console.print(
        f"{totals['assets']} assets, {totals['columns']} columns, {totals['rows']:,} rows read: "
        f"{totals['classified']} columns classified, {totals['errors']} errors."
    )
