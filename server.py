"""Composition root of the local commands, mounted into `racine` when it runs in a checkout."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, add_completion=False)


class Output(StrEnum):
    TABLE = "table"
    JSON = "json"


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
def scan(
    target: Annotated[
        str, typer.Argument(help="A database URL, an s3:// URL, a file or a folder.")
    ],
    rule_set: Annotated[Path | None, typer.Option(help="YAML or JSON file of scan rules.")] = None,
    output: Annotated[Output, typer.Option(help="How the result is printed.")] = Output.TABLE,
    classifiers: Annotated[
        Path | None,
        typer.Option(help="Folder of your classifiers; else where `classifiers add` saves them."),
    ] = None,
    free_text_names: Annotated[
        str,
        typer.Option(
            envvar="RACINE_FREE_TEXT_NAMES",
            help="spaCy pipeline that finds names in free text; needs the presidio extra.",
        ),
    ] = "",
) -> None:
    """Discover, profile and classify one source: one shot, no server needed."""
    from local.scan import scan as run

    run(target, rule_set, output, classifiers, free_text_names)


@app.command()
def migrate(
    database_url: Annotated[
        str, typer.Option(envvar="RACINE_DATABASE_URL", help="SQLAlchemy URL of the database.")
    ],
    temporal_address: Annotated[
        str | None,
        typer.Option(envvar="RACINE_TEMPORAL_ADDRESS", help="Also prepare Temporal's namespace."),
    ] = None,
    temporal_namespace: Annotated[
        str, typer.Option(envvar="RACINE_TEMPORAL_NAMESPACE", help="The namespace to prepare.")
    ] = "default",
) -> None:
    """Bring the database, and Temporal's namespace, to this release; safe to repeat."""
    from local.migrate import migrate as run

    run(database_url, temporal_address, temporal_namespace)


if __name__ == "__main__":
    app()
