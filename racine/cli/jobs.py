"""`racine validate`, `racine apply` and `racine run`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from racine.cli import profiles
from racine.cli.output import Format, Output, as_json, console, fields, table, usage

if TYPE_CHECKING:
    from racine.client import Client

Files = Annotated[list[Path], typer.Argument(help="JSON, YAML, or Python that defines jobs.")]


def validate(files: Files, output: Output = Format.TABLE) -> None:
    """Check job files; every fault is told with its place and a way out. Needs no server."""
    from racine.cli.loading import load

    found = [loaded for file in files for loaded in load(file)]
    faults = [
        {"file": str(loaded.file), "job": loaded.name, "pointer": fault.pointer,
         "message": fault.message, "next_step": fault.next_step, "code": fault.code}
        for loaded in found for fault in loaded.faults
    ]  # fmt: skip
    if output is Format.JSON:
        as_json({"valid": not faults, "jobs": [item.name for item in found], "faults": faults})
    elif faults:
        rows = [(f["job"], f["pointer"], f"{f['message']} {f['next_step']}") for f in faults]
        table(["job", "place", "fault"], rows)
    else:
        typer.echo(f"{len(found)} job{'s' if len(found) > 1 else ''} without fault.")
    raise typer.Exit(1 if faults else 0)


def apply(files: Files, output: Output = Format.TABLE) -> None:
    """Make the files' jobs the latest versions on the server; the same again changes nothing."""
    from racine.cli.loading import valid

    documents = valid(files)
    with profiles.client() as client:
        saved = [client.apply(document) for document in documents]
    if output is Format.JSON:
        as_json(saved)
    else:
        rows = [(s["name"], s["version"], "yes" if s["changed"] else "no", s["id"]) for s in saved]
        table(["job", "version", "changed", "id"], rows)


def run(
    name: Annotated[str, typer.Argument(help="The job's name.")],
    param: Annotated[
        list[str] | None, typer.Option("--param", "-p", help="key=value; the value may be JSON.")
    ] = None,
    version: Annotated[int | None, typer.Option(help="The latest when left out.")] = None,
    only: Annotated[list[str] | None, typer.Option(help="Run these tasks alone.")] = None,
    begin: Annotated[
        list[str] | None, typer.Option("--from", help="Run these tasks and what follows.")
    ] = None,
    until: Annotated[
        list[str] | None, typer.Option(help="Run these tasks and what they follow.")
    ] = None,
    values_from: Annotated[
        str | None, typer.Option(help="A run whose results stand for the tasks left out.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Until it has ended.")] = False,
    timeout: Annotated[float | None, typer.Option(help="Seconds to wait at most.")] = None,
    output: Output = Format.TABLE,
) -> None:
    """Start a job; with --wait the exit code tells how it ended."""
    with profiles.client() as client:
        given = read_parameters(client, name, param or [])
        run_id = client.run(
            name, given, version=version, only=only or [], begin=begin or [], until=until or [],
            values_from=values_from,
        )  # fmt: skip
        status = _wait(client, run_id, timeout) if wait else {"id": run_id, "state": "started"}
    if output is Format.JSON:
        as_json(status)
    else:
        fields({key: value for key, value in status.items() if value not in (None, [], {})})
    raise typer.Exit(0 if status["state"] in ("started", "completed") else 1)


def _wait(client: "Client", run_id: str, timeout: float | None) -> dict[str, Any]:
    with console(error=True).status(f"{run_id} runs; Ctrl-C stops waiting, not the run"):
        try:
            return client.wait(run_id, timeout=timeout)
        except TimeoutError as late:
            typer.echo(f"error: {late} It goes on.", err=True)
            raise typer.Exit(1) from None
        except KeyboardInterrupt:
            typer.echo(f"{run_id} goes on: racine runs show {run_id}", err=True)
            raise


def read_parameters(client: "Client", name: str, pairs: list[str]) -> dict[str, Any]:
    """Return the parameters by name, typed as the job on the server has them."""
    if not pairs:
        return {}
    document = client.get(f"/api/racine/workflows/{client.job(name)['id']}")["document"]
    types = {p["name"]: p.get("schema", {}).get("type") for p in document.get("parameters", [])}
    return given_parameters(types, pairs)


def given_parameters(types: Mapping[str, Any], pairs: list[str]) -> dict[str, Any]:
    """Return what `key=value` pairs give; text stays text where the job asks for a string."""
    given: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise usage(f"--param {pair!r} is not key=value.")
        given[key] = value if types.get(key) == "string" else _value(value)
    return given


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
