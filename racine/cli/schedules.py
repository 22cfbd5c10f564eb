"""`racine schedules …`."""

from itertools import islice
from typing import Annotated, Any

import typer

from racine.cli import profiles
from racine.cli.output import Format, Limit, Output, as_json, fields, table

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_schedules(limit: Limit = 100, output: Output = Format.TABLE) -> None:
    """List schedules, newest first."""
    with profiles.client() as client:
        found = list(islice(client.schedules(), limit))
    if output is Format.JSON:
        as_json(found)
        return
    rows = [(s["name"], s["cron"], s["time_zone"], _state(s), s["id"]) for s in found]
    table(["schedule", "cron", "zone", "state", "id"], rows)


@app.command()
def create(
    job: Annotated[str, typer.Argument(help="The job's name.")],
    name: Annotated[str, typer.Option(help="The schedule's name.")],
    cron: Annotated[str, typer.Option(help="Five fields, as '30 2 * * MON-FRI'.")],
    time_zone: Annotated[str, typer.Option(help="An IANA zone.")] = "UTC",
    overlap: Annotated[str, typer.Option(help="When the last run still goes on.")] = "skip",
    output: Output = Format.TABLE,
) -> None:
    """Let a job run by itself."""
    wish = {"name": name, "cron": cron, "time_zone": time_zone, "overlap": overlap}
    with profiles.client() as client:
        made = client.schedule(job, wish)
    if output is Format.JSON:
        as_json(made)
    else:
        fields({key: made[key] for key in ("id", "name", "cron", "time_zone", "overlap")})


def _state(schedule: dict[str, Any]) -> str:
    return "paused" if schedule["paused"] else "active"
