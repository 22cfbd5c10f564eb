"""`racine runs …`."""

import json
from itertools import islice
from typing import Annotated

import typer

from racine.cli import profiles
from racine.cli.output import Format, Output, as_json, fields, table

app = typer.Typer(no_args_is_help=True)

Run = Annotated[str, typer.Argument(metavar="RUN", help="The run's id.")]
Reason = Annotated[str, typer.Option(help="Kept with the order.")]


@app.command("list")
def list_runs(
    job: Annotated[str | None, typer.Option(help="Only this job's.")] = None,
    state: Annotated[str | None, typer.Option(help="Only in this state.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 20,
    output: Output = Format.TABLE,
) -> None:
    """List runs, newest first."""
    with profiles.client() as client:
        found = list(islice(client.runs(job=job, state=state), limit))
    if output is Format.JSON:
        as_json(found)
        return
    rows = [
        (r["id"], r["workflow_id"].rpartition("/")[0], r["state"], r["trigger"], r["created_at"])
        for r in found
    ]
    table(["run", "job", "state", "trigger", "created"], rows)


@app.command()
def show(run: Run, output: Output = Format.TABLE) -> None:
    """Show how a run stands, and what it is doing."""
    with profiles.client() as client:
        detail = client.run_detail(run) | client.status(run)
    if output is Format.JSON:
        as_json(detail)
        return
    pending = detail.pop("pending")
    fields({key: value for key, value in detail.items() if value not in (None, {}, [])})
    if pending:
        rows = [(t["task_key"], t["state"], t["attempt"], t["last_error"]) for t in pending]
        table(["task", "state", "attempt", "last error"], rows)


@app.command()
def logs(
    run: Run,
    after: Annotated[int, typer.Option(min=0, help="Only events after this id.")] = 0,
    output: Output = Format.TABLE,
) -> None:
    """Follow a run's log to its end; JSON is one event a line."""
    with profiles.client() as client:
        for event in client.events(run, after=after):
            if output is Format.JSON:
                typer.echo(json.dumps(vars(event), ensure_ascii=False))
                continue
            attempt = f" #{event.attempt}" if event.attempt > 1 else ""
            body = f" {json.dumps(event.body, ensure_ascii=False)}" if event.body else ""
            typer.echo(f"{event.at[:23]} {event.task_key or run}{attempt} {event.kind}{body}")


@app.command()
def pause(run: Run, reason: Reason = "", output: Output = Format.TABLE) -> None:
    """Start no further task until it is resumed."""
    _order(run, "pause", reason, output)


@app.command()
def resume(run: Run, reason: Reason = "", output: Output = Format.TABLE) -> None:
    """Go on starting tasks."""
    _order(run, "resume", reason, output)


@app.command()
def cancel(run: Run, reason: Reason = "", output: Output = Format.TABLE) -> None:
    """Cancel what runs, let it clean up, and end."""
    _order(run, "cancel", reason, output)


@app.command()
def terminate(run: Run, reason: Reason = "", output: Output = Format.TABLE) -> None:
    """End at once, without any clean-up."""
    _order(run, "terminate", reason, output)


def _order(run: str, action: str, reason: str, output: Format) -> None:
    with profiles.client() as client:
        answer = client.control(run, action, reason=reason)
    if output is Format.JSON:
        as_json(answer)
    elif answer["state"] == "pending":
        typer.echo(f"{action}: kept; no worker has answered yet.")
    else:
        typer.echo(f"{action}: {answer['answer'].get('state', answer['state'])}")
