"""Composition root of the local commands, mounted into `racine` when it runs in a checkout."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, add_completion=False)

State = Annotated[Path, typer.Option("--state", help="Folder that holds everything it keeps.")]


@app.command()
def dev(
    state: State = Path(".racine"),
    port: Annotated[
        int | None, typer.Option(help="Port of the API; 0 takes free ports for every part.")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Empty the state folder first.")] = False,
) -> None:
    """Run Temporal, the API and the workers on this machine until Ctrl-C."""
    from local.dev import dev as run

    run(state, port, fresh=fresh)


@app.command()
def demo(state: State = Path(".racine")) -> None:
    """Govern a made-up shop from end to end, and show what was found."""
    from local.demo.story import demo as run

    run(state)


@app.command()
def migrate(
    database_url: Annotated[
        str, typer.Option(envvar="RACINE_DATABASE_URL", help="SQLAlchemy URL of the database.")
    ],
) -> None:
    """Bring the database to this release's schema; safe to repeat."""
    from local.migrate import migrate as run

    run(database_url)


if __name__ == "__main__":
    app()
