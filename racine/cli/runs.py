"""`racine runs …`."""

import json
from datetime import datetime
from itertools import islice
from typing import Annotated, Any

import typer

from racine.cli import profiles
from racine.cli.output import Format, Limit, Output, as_json, fields, table
from racine.cli.watching import COLUMNS, print_changes, rows_of, watch_run
from racine.engine.states import ATTEMPTS_PER_TRY

app = typer.Typer(no_args_is_help=True)

Run = Annotated[str, typer.Argument(metavar="RUN", help="The run's id.")]
Reason = Annotated[str, typer.Option(help="Kept with the order.")]


Job = Annotated[str | None, typer.Option(help="Only this job's.")]
Trigger = Annotated[str | None, typer.Option(help="Only begun so, as manual.")]
Since = Annotated[datetime | None, typer.Option(help="Only made then or later.")]
Until = Annotated[datetime | None, typer.Option(help="Only made before then.")]


def zoned(moment: datetime | None) -> str | None:
    """Return a moment as the server reads it: one without a zone is of this machine's."""
    return None if moment is None else moment.astimezone().isoformat()


def job_of(run: dict[str, Any]) -> str:
    """Return the name of a run's job, which its workflow's id begins with."""
    return str(run["workflow_id"]).rpartition("/")[0]


@app.command("list")
def list_runs(
    job: Job = None,
    state: Annotated[str | None, typer.Option(help="Only in this state.")] = None,
    trigger: Trigger = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 20,
    output: Output = Format.TABLE,
) -> None:
    """List runs, newest first."""
    about = {"job": job, "state": state, "trigger": trigger}
    with profiles.client() as client:
        runs = client.runs(**about, since=zoned(since), until=zoned(until))
        found = list(islice(runs, limit))
    if output is Format.JSON:
        as_json(found)
        return
    rows = [(r["id"], job_of(r), r["state"], r["trigger"], r["created_at"]) for r in found]
    table(["run", "job", "state", "trigger", "created"], rows)


@app.command()
def show(run: Run, output: Output = Format.TABLE) -> None:
    """Show how a run stands, and what it is doing."""
    with profiles.client() as client:
        detail = client.run_detail(run) | client.status(run)
    if output is Format.JSON:
        as_json(detail)
        return
    pending, repairs = detail.pop("pending"), detail.pop("repairs")
    fields({key: value for key, value in detail.items() if value not in (None, {}, [])})
    if pending:
        rows = [(t["task_key"], t["state"], t["attempt"], t["last_error"]) for t in pending]
        table(["task", "state", "attempt", "last error"], rows)
    if repairs:
        done = [
            (r["at"][:19], r["was"], r["again_count"], r["actor"], r["reason"]) for r in repairs
        ]
        table(["repaired", "it was", "ran again", "by", "reason"], done)


@app.command()
def tasks(run: Run, output: Output = Format.TABLE) -> None:
    """Show a run's tasks, what each comes after, and why it waits."""
    with profiles.client() as client:
        graph = client.graph(run)
    if output is Format.JSON:
        as_json(graph)
    else:
        told = zip(graph["tasks"], rows_of(graph["tasks"]), strict=True)
        rows = [(key, _after(task), *rest) for task, (key, *rest) in told]
        table(("task", "after", *COLUMNS[1:]), rows)


def _after(task: dict[str, Any]) -> str:
    """Return what a task comes after, with the outcome that an edge asks for."""
    edges = [(edge["task_key"], edge.get("outcome")) for edge in task["depends_on"]]
    return ", ".join(f"{key} ({outcome})" if outcome else key for key, outcome in edges)


@app.command()
def watch(run: Run, output: Output = Format.TABLE) -> None:
    """Watch a run's tasks until it has ended; the exit code tells how it did.

    JSON is one line for each change.
    """
    with profiles.client() as client:
        follow = print_changes if output is Format.JSON else watch_run
        state = follow(client, run)
    raise typer.Exit(0 if state == "completed" else 1)


@app.command()
def matrix(
    job: Annotated[str, typer.Argument(help="The job's name.")],
    runs: Annotated[int, typer.Option(min=1, max=100)] = 25,
    output: Output = Format.TABLE,
) -> None:
    """Show a job's last runs by its tasks: a letter for how each ended."""
    with profiles.client() as client:
        found = client.matrix(job, runs)
    if output is Format.JSON:
        as_json(found)
        return
    latest = found["versions"].get(str(found["runs"][0]["version"]), []) if found["runs"] else []
    shown = [run for run in reversed(found["runs"]) if run["states"] and
             found["versions"][str(run["version"])] == latest]  # fmt: skip
    rows = [
        (key, " ".join(run["states"][place] for run in shown)) for place, key in enumerate(latest)
    ]
    table(["task", f"the last {len(shown)} runs, oldest first"], rows)
    typer.echo("  ".join(f"{letter} {state}" for letter, state in found["legend"].items()))


@app.command()
def failures(
    job: Annotated[str, typer.Argument(help="The job's name.")],
    runs: Annotated[int, typer.Option(min=1, max=100)] = 100,
    output: Output = Format.TABLE,
) -> None:
    """Group what failed in a job's last runs; the most frequent first."""
    with profiles.client() as client:
        found = client.failures(job, runs)
    if output is Format.JSON:
        as_json(found)
        return
    rows = [
        (len(g["run_ids"]), g["task_key"], g["code"], g["message"], g["run_ids"][0]) for g in found
    ]
    table(["runs", "task", "error", "message", "latest"], rows)


@app.command()
def logs(
    run: Run,
    task: Annotated[
        str | None, typer.Argument(help="One task or iteration, with all that lies inside it.")
    ] = None,
    attempt: Annotated[
        int | None, typer.Option(min=1, help="One attempt alone, by its number in the JSON.")
    ] = None,
    after: Annotated[int, typer.Option(min=0, help="Only events after this id.")] = 0,
    output: Output = Format.TABLE,
) -> None:
    """Follow a run's log to its end; JSON is one event a line."""
    with profiles.client() as client:
        for event in client.events(run, after=after):
            if not _is_of(event.task_key, task) or attempt not in (None, event.attempt):
                continue
            if output is Format.JSON:
                typer.echo(json.dumps(vars(event), ensure_ascii=False))
                continue
            body = f" {json.dumps(event.body, ensure_ascii=False)}" if event.body else ""
            typer.echo(
                f"{event.at[:23]} {event.task_key or run}{_tried(event.attempt)} {event.kind}{body}"
            )


def _tried(number: int) -> str:
    """Return what tells an attempt from the first, in words."""
    again, attempt = divmod(number, ATTEMPTS_PER_TRY)
    return (" again" if again else "") + (f" (attempt {attempt})" if attempt > 1 else "")


def _is_of(path: str, task: str | None) -> bool:
    return task is None or path == task or path.startswith((f"{task}.", f"{task}["))


Task = Annotated[str, typer.Argument(metavar="TASK", help="The task's key.")]


@app.command()
def traceback(run: Run, task: Task, output: Output = Format.TABLE) -> None:
    """Show the traceback that a failed task left; its text may hold data."""
    with profiles.client() as client:
        text = client.traceback(run, task)
    if output is Format.JSON:
        as_json({"run": run, "task": task, "traceback": text})
    else:
        typer.echo(text)
