"""`racine runs repair`."""

from typing import Annotated, Any

import typer

from racine.cli import profiles
from racine.cli.jobs import read_parameters
from racine.cli.output import Format, Output, as_json, table
from racine.cli.runs import Reason, Run, job_of


def repair(
    run: Run,
    tasks: Annotated[
        list[str] | None,
        typer.Option("--task", "--tasks", help="A path, as load or per_table[3].clean; repeat it."),
    ] = None,
    only: Annotated[bool, typer.Option("--only", help="Without what follows the tasks.")] = False,
    param: Annotated[
        list[str] | None, typer.Option(help="NAME=VALUE to change; VALUE is JSON or text.")
    ] = None,
    version: Annotated[str, typer.Option(help="pinned, latest or a number.")] = "pinned",
    reason: Reason = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what it would do.")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Run again what failed, or the tasks named; good results are kept."""
    wanted = [path for given in tasks or [] for path in given.split(",") if path]
    number: int | str = int(version) if version.isdigit() else version
    with profiles.client() as client:
        job = job_of(client.run_detail(run)) if param else ""
        found = client.repair(
            run, wanted, dependents=not only, version=number,
            parameters=read_parameters(client, job, param or []),
            reason=reason, dry_run=dry_run,
        )  # fmt: skip
    if output is Format.JSON:
        as_json(found)
        return
    _show(found)


def rerun(
    run: Run,
    begin: Annotated[list[str], typer.Option("--from", help="A task to begin at; repeat it.")],
    param: Annotated[
        list[str] | None, typer.Option("--param", "-p", help="key=value to change; repeat it.")
    ] = None,
    output: Output = Format.TABLE,
) -> None:
    """Start a new run like this one, from a task on; the results of what is before are kept."""
    with profiles.client() as client:
        job = job_of(client.run_detail(run)) if param else ""
        made = client.rerun(run, begin, read_parameters(client, job, param or []))
    if output is Format.JSON:
        as_json({"id": made})
    else:
        typer.echo(made)


def _show(found: dict[str, Any]) -> None:
    if found["changes"]:
        rows = [(c["task"] or "", c["kind"], c["field"], c["old"], c["new"])
                for c in found["changes"]]  # fmt: skip
        typer.echo(f"version {found['from_version']} → {found['version']}:")
        table(["task", "change", "field", "old", "new"], rows)
    typer.echo(f"Run again: {found['again_count']}")
    table(["task", "was", "why"], [(t["path"], t["was"], t["why"]) for t in found["again"]])
    typer.echo(f"Kept: {found['kept_count']}")
    table(["task", "state", ""], [(t["path"], t["state"], _iterations(t)) for t in found["kept"]])
    if found["state"] != "preview":
        typer.echo(f"repair of {found['run_id']}: {found['state']}")


def _iterations(task: dict[str, Any]) -> str:
    count = task["iterations"]
    return "" if count is None else f"{count} iteration{'' if count == 1 else 's'}"
