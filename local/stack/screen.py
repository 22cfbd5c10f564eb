"""What a person sees of a running stack: health at the bottom, prefixed log lines above it."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from local.stack.child import Child, Health
from local.stack.ports import HOST, Ports

_STYLES = {
    Health.WAITING: "dim",
    Health.STARTING: "yellow",
    Health.WORKING: "green",
    Health.SILENT: "bold yellow",
    Health.ENDED: "bold red",
}
_PREFIXES = {"temporal": "magenta", "workflows": "cyan", "activities": "blue", "api": "green"}
_WIDTH = max(map(len, _PREFIXES))


class Screen:
    """Prints lines of the parts, and, on a terminal, keeps their health below them."""

    def __init__(self, logs: Path) -> None:
        self._console = Console(highlight=False, soft_wrap=True)
        self._logs = logs

    def log(self, name: str, line: str) -> None:
        """Print a part's line after its name, and append it to the part's file."""
        prefix = Text(f"{name:<{_WIDTH}} | ", style=_PREFIXES.get(name, "bold"))
        # Colour codes of the line itself must not end ours.
        self._console.print(prefix + Text.from_ansi(line))
        with (self._logs / f"{name}.log").open("a") as file:
            file.write(line + "\n")

    def say(self, line: str) -> None:
        self._console.print(Text(line))

    def health(self, children: Callable[[], Sequence[Child]]) -> AbstractContextManager[object]:
        """Show the health of the children while the block runs; nothing without a terminal."""
        if not self._console.is_terminal:
            return nullcontext()
        return Live(
            get_renderable=lambda: _table(children()),
            console=self._console,
            refresh_per_second=4,
            transient=True,
        )


def _table(children: Sequence[Child]) -> Table:
    table = Table("part", "health", "process", "restarts", title="racine dev · Ctrl-C stops")
    for child in children:
        health = Text(child.health, style=_STYLES[child.health])
        table.add_row(child.part.name, health, str(child.pid or "–"), str(child.restarts))
    return table


def welcome(ports: Ports, state: Path) -> str:
    """Return the lines that tell where everything is."""
    return "\n".join(
        [
            "",
            "Racine is ready.",
            f"  API            http://{HOST}:{ports.api}",
            f"  API docs       http://{HOST}:{ports.api}/docs",
            f"  Temporal Web   http://{HOST}:{ports.web}",
            f"  State          {state}",
        ]
    )
