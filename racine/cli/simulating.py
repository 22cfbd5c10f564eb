"""`racine simulate`: what a run would do, without a server."""

from pathlib import Path
from typing import Annotated, Any

import typer

from racine.cli.output import Format, Output, as_json, fields, table, usage


def simulate(
    file: Annotated[Path, typer.Argument(help="JSON, YAML or Python that defines one job.")],
    mocks: Annotated[
        Path | None, typer.Option(help="YAML or JSON: what tasks and operations answer.")
    ] = None,
    param: Annotated[
        list[str] | None, typer.Option("--param", "-p", help="key=value; the value may be JSON.")
    ] = None,
    output: Output = Format.TABLE,
) -> None:
    """Show which tasks a run would take, in which order, and how each would end.

    Tasks that have an effect end as the mocks say, else they succeed and return nothing. Waits and
    retries take no time. The exit code tells whether the run would complete.
    """
    from racine.cli.loading import only_document, valid
    from racine.definitions.document import JobDocument
    from racine.simulation.running import simulate as simulated

    documents = valid([file])
    if len(documents) != 1:
        raise usage(f"{file} holds {len(documents)} jobs: simulate one at a time.")
    document = JobDocument.model_validate(documents[0])
    told = simulated(
        document, _parameters(document, param or []), only_document(mocks) if mocks else {}
    ).as_json()
    if output is Format.JSON:
        as_json(told)
    else:
        _show(told)
    raise typer.Exit(0 if told["state"] == "completed" else 1)


def _parameters(document: Any, pairs: list[str]) -> dict[str, Any]:
    from racine.cli.jobs import given_parameters

    types = {found.name: found.json_schema.get("type") for found in document.parameters}
    return given_parameters(types, pairs)


def _show(told: dict[str, Any]) -> None:
    rows = [
        (task["path"], task["state"], task["attempts"] or "", task["started"], task["ended"],
         task["reason"] or task["outcome"] or (task["error"] or {}).get("message", ""))
        for task in told["tasks"]
    ]  # fmt: skip
    table(["task", "state", "attempts", "from s", "to s", ""], rows)
    kept = ("state", "outputs", "error", "seconds", "unmocked", "held")
    fields({name: told[name] for name in kept if told[name] not in (None, [], {})})
