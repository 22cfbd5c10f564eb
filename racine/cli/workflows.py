"""`racine workflows`: what the server keeps of jobs, version by version."""

import json
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from racine.cli import profiles
from racine.cli.exporting import Form, exported
from racine.cli.output import Format, Limit, Output, as_json, table, usage

app = typer.Typer(no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The job's name.")]

_WIDTH = 60
"""Characters of a value that a table shows."""


@app.command("list")
def list_jobs(limit: Limit = 100, output: Output = Format.TABLE) -> None:
    """List the workspace's jobs, newest first."""
    with profiles.client() as client:
        jobs = list(islice(client.jobs(), limit))
    if output is Format.JSON:
        as_json(jobs)
    else:
        table(["job", "version", "id"], [(j["name"], j["version"], j["id"]) for j in jobs])


@app.command()
def diff(
    name: Name,
    before: Annotated[int, typer.Argument(help="The earlier version.", min=1)],
    after: Annotated[
        int | None, typer.Argument(help="The later; the latest if left out.", min=1)
    ] = None,
    output: Output = Format.TABLE,
) -> None:
    """Show what changed between two versions of a job by meaning, not by layout or order."""
    with profiles.client() as client:
        later = after or int(client.job(name)["version"])
        changes = client.diff(name, before, later)
    if output is Format.JSON:
        as_json({"job": name, "before": before, "after": later, "changes": changes})
    else:
        show_changes(changes)


@app.command()
def rollback(
    name: Name,
    to: Annotated[
        int | None, typer.Option(help="The one before the latest when left out.", min=1)
    ] = None,
    output: Output = Format.TABLE,
) -> None:
    """Make an earlier version's document the next version; runs keep the versions they have."""
    with profiles.client() as client:
        before = int(client.job(name)["version"])
        saved = client.roll_back(name, to)
        changes = client.diff(name, before, saved["version"])
    if output is Format.JSON:
        as_json(saved | {"changes": changes})
        return
    show_changes(changes)
    typer.echo(f"{name}: version {saved['version']}")


@app.command()
def estimate(
    name: Name,
    version: Annotated[int | None, typer.Option(help="The latest when left out.", min=1)] = None,
    output: Output = Format.TABLE,
) -> None:
    """Show the longest way through a job and the slack of its tasks, as past runs went."""
    with profiles.client() as client:
        told = client.estimate(name, version)
    if output is Format.JSON:
        as_json(told)
        return
    rows = [
        (t["task_key"], t["begins"], t["seconds"], t["slack"], "yes" if t["measured"] else "no")
        for t in told["tasks"]
    ]
    table(["task", "begins s", "takes s", "slack s", "measured"], rows)
    typer.echo(f"{told['seconds']:g} s by {' → '.join(told['critical'])}")


@app.command()
def export(
    job: Annotated[str, typer.Argument(help="A job's name, or a file that holds one.")],
    version: Annotated[int | None, typer.Option(help="The latest when left out.", min=1)] = None,
    form: Annotated[Form, typer.Option("--format", "-f", help="What to write.")] = Form.PYTHON,
) -> None:
    """Write a job's document as Python, JSON or YAML; from any of them it is the same job again."""
    file = Path(job)
    if file.suffix in (".json", ".yaml", ".yml", ".py"):
        typer.echo(exported(_of_file(file), form), nl=False)
        return
    with profiles.client() as client:
        typer.echo(exported(client.version(job, version), form), nl=False)


def _of_file(file: Path) -> dict[str, Any]:
    from racine.cli.loading import valid

    documents = valid([file])
    if len(documents) != 1:
        raise usage(f"{file} holds {len(documents)} jobs: keep the one to export in a file alone.")
    return documents[0]


def show_changes(changes: Sequence[dict[str, Any]]) -> None:
    """Print a diff, a change a line."""
    if not changes:
        typer.echo("No change of meaning.")
        return
    rows = [
        (c["kind"], c["task"] or "", c["field"], _shown(c["old"]), _shown(c["new"]))
        for c in changes
    ]
    table(["change", "task", "field", "old", "new"], rows)


def _shown(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"
