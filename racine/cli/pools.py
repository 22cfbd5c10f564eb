"""`racine pools …`."""

from itertools import islice
from typing import Annotated, Any

import typer

from racine.cli import profiles
from racine.cli.output import Format, Limit, Output, as_json, fields, table, usage

app = typer.Typer(no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The pool's name; `source:ID` limits one source.")]


@app.command("list")
def list_pools(limit: Limit = 100, output: Output = Format.TABLE) -> None:
    """List pools with how much of each is in use."""
    with profiles.client() as client:
        found = list(islice(client.pools(), limit))
    if output is Format.JSON:
        as_json(found)
        return
    rows = [
        (p["name"], _slots(p), _rate(p), p["held"], p["waiting"], p["description"]) for p in found
    ]
    table(["pool", "slots in use", "per second", "tasks", "waiting", "for"], rows)


@app.command()
def show(name: Name, output: Output = Format.TABLE) -> None:
    """Show a pool: who holds its slots, and who waits for them."""
    with profiles.client() as client:
        found = client.pool(name)
    if output is Format.JSON:
        as_json(found)
        return
    fields({"pool": name, "slots in use": _slots(found), "per second": _rate(found)})
    leases = [("holds", *_lease(lease)) for lease in found["holders"]]
    leases += [(f"waits, {n}.", *_lease(w)) for n, w in enumerate(found["line"], start=1)]
    table(["", "slots", "run", "task", "since"], leases)


@app.command("set")
def set_(
    name: Name,
    slots: Annotated[int | None, typer.Option(help="Slots in all.", min=1)] = None,
    tokens_per_second: Annotated[
        float | None, typer.Option(help="Tasks that may begin in a second.")
    ] = None,
    description: Annotated[str, typer.Option(help="What it stands for.")] = "",
    output: Output = Format.TABLE,
) -> None:
    """Make a pool, or give it other limits."""
    if slots is None and tokens_per_second is None:
        raise usage("give --slots, --tokens-per-second, or both")
    limits = {"slots": slots, "tokens_per_second": tokens_per_second, "description": description}
    with profiles.client() as client:
        made = client.set_pool(name, limits)
    if output is Format.JSON:
        as_json(made)
    else:
        fields({"pool": name, "slots in use": _slots(made), "per second": _rate(made)})


@app.command()
def delete(name: Name, output: Output = Format.TABLE) -> None:
    """Delete a pool that nobody waits for."""
    with profiles.client() as client:
        client.delete_pool(name)
    if output is Format.JSON:
        as_json({"name": name, "deleted": True})


def _slots(pool: dict[str, Any]) -> str:
    return f"{pool['held_slots']} of {pool['slots'] or 'any number'}"


def _rate(pool: dict[str, Any]) -> str:
    return "" if pool["tokens_per_second"] is None else f"{pool['tokens_per_second']:g}"


def _lease(lease: dict[str, Any]) -> tuple[Any, ...]:
    since = lease["starts_at"] or lease["created_at"]
    return lease["slots"], lease["run_id"], lease["task_key"], since
