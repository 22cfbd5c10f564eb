"""How commands answer: tables for people, JSON for programs, complaints on the error stream."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from racine.errors import RacineError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"


Output = Annotated[Format, typer.Option("--output", "-o", help="Who reads it.")]


Limit = Annotated[
    int, typer.Option("--limit", min=1, max=10_000, help="How many, from the first on.")
]


def console(*, error: bool = False) -> "Console":
    """Return a console that keeps to NO_COLOR and to pipes."""
    from rich.console import Console

    # What reads a pipe wants a row on one line, however long.
    width = None if sys.stdout.isatty() else 400
    return Console(stderr=error, highlight=False, width=width)


def as_json(value: Any) -> None:
    """Print one JSON document."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows under their columns."""
    screen = console()
    with screen.capture() as printed:
        screen.print(made_table(columns, rows))
    # A table's cells are padded to its width; what reads a pipe has no use for that.
    typer.echo("\n".join(line.rstrip() for line in printed.get().splitlines()))


def made_table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> "Table":
    """Return rows under their columns; columns without a name have no header."""
    from rich.table import Table
    from rich.text import Text

    made = Table(box=None, pad_edge=False, header_style="bold", show_header=any(columns))
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        # As text: what users named things must not be read as markup.
        made.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    return made


def fields(values: Mapping[str, Any]) -> None:
    """Print one object, a field a line."""
    table(["", ""], [(f"{name}:", _short(value)) for name, value in values.items()])


def _short(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value


def complain(fault: RacineError) -> None:
    """Say what went wrong, where, and what to do next, on the error stream."""
    lines = [f"error: {fault.message}"]
    lines += [f"  {f.pointer or '/'}: {f.message} {f.next_step}".rstrip() for f in fault.faults]
    if fault.next_step and not fault.faults:
        lines.append(f"  {fault.next_step}")
    typer.echo("\n".join(lines), err=True)


def usage(message: str) -> "typer.Exit":
    """Return the end of a call that makes no sense: exit code 2."""
    typer.echo(f"error: {message}", err=True)
    return typer.Exit(2)
