"""`racine sources …`: what is governed: register sources, test them, list them."""

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from racine.cli import profiles
from racine.cli.output import Format, Limit, Output, as_json, fields, table
from racine.errors import NotFound

if TYPE_CHECKING:
    from racine.client import Client

app = typer.Typer(no_args_is_help=True)

_SOURCES = "/api/data-sources"

Source = Annotated[str, typer.Argument(metavar="SOURCE", help="The source's name or id.")]


def known(client: "Client", source: str) -> str:
    """Return the id of a source by its name or id; raise NotFound naming those there are."""
    names = []
    for found in client.items(_SOURCES):
        if source in (found["id"], found["name"]):
            return str(found["id"])
        names.append(found["name"])
    there_are = ", ".join(sorted(names)[:20])
    raise NotFound(
        f"There is no source {source!r}.",
        next_step=f"There are: {there_are}." if names else "`racine sources add` registers one.",
    )


@app.command("list")
def list_sources(limit: Limit = 50, output: Output = Format.TABLE) -> None:
    """List the sources with the state each is in."""
    with profiles.client() as client:
        found = list(islice(client.items(_SOURCES), limit))
    if output is Format.JSON:
        as_json(found)
        return
    rows = [(s["name"], s["kind"], s["location"], s["state"], s["state_reason"], s["id"])
            for s in found]  # fmt: skip
    table(["source", "kind", "location", "state", "why", "id"], rows)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="What the source is called.")],
    location: Annotated[str, typer.Argument(help="A URL without a password, a file or folder.")],
    kind: Annotated[
        str | None, typer.Option(help="Of a path: sqlite or duckdb; else a folder or data file.")
    ] = None,
    credential: Annotated[
        str | None, typer.Option(help="Where the password is: env:NAME, file:PATH or secret:NAME.")
    ] = None,
    output: Output = Format.TABLE,
) -> None:
    """Register a source; `racine sources test` reaches it, `racine scans start` reads it."""
    from racine.governance.data_sources import locations

    place = locations.parse(location, kind)
    if "://" not in location:
        # The server has a folder of its own to start from.
        location = str(Path(location).expanduser().absolute())
    body = {"name": name, "kind": place.kind, "location": location, "credential": credential}
    with profiles.client() as client:
        made = client.post(_SOURCES, body)
    if output is Format.JSON:
        as_json(made)
    else:
        fields({name: made[name] for name in ("id", "name", "kind", "location", "state")})


@app.command("test")
def check(source: Source, output: Output = Format.TABLE) -> None:
    """Connect to a source, step by step; the exit code tells whether it can be read."""
    with profiles.client() as client:
        id_ = known(client, source)
        client.wait(client.post(f"{_SOURCES}/{id_}/test", {})["run_id"])
        health = client.get(f"{_SOURCES}/{id_}/health")
    if output is Format.JSON:
        as_json(health)
    else:
        rows = [(s["step"], "yes" if s["ok"] else "no", s["detail"], s["next_step"])
                for s in health["steps"]]  # fmt: skip
        table(["step", "good", "what", "next"], rows)
    raise typer.Exit(0 if health["ok"] else 1)
