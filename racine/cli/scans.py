"""`racine scans …`: what scans would read, have read and found changed, and steering them."""

from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from racine.cli import profiles
from racine.cli.output import Format, Output, as_json, fields, table
from racine.cli.sources import Source, known
from racine.cli.watching import watch_run
from racine.errors import NotFound

if TYPE_CHECKING:
    from racine.client import Client

app = typer.Typer(no_args_is_help=True)

_SCANS, _SOURCES = "/api/scan-logic/scans", "/api/data-sources"

Scan = Annotated[str, typer.Argument(metavar="SCAN", help="The scan's id.")]
Mode = Annotated[
    str | None, typer.Option(help="full, changed, watermark, schema or age; else as the rules say.")
]
Limit = Annotated[int, typer.Option(min=1, max=10_000)]
State = Annotated[str | None, typer.Option(help="Only assets in this state.")]


@app.command("list")
def list_scans(
    source: Annotated[str | None, typer.Option(help="Only this source's.")] = None,
    limit: Limit = 20,
    output: Output = Format.TABLE,
) -> None:
    """List scans, newest first."""
    with profiles.client() as client:
        query = {"source_id": known(client, source)} if source else {}
        found = list(islice(client.items(_SCANS, **query), limit))
    if output is Format.JSON:
        as_json(found)
        return
    rows = [(s["id"], s["source_id"], s["state"], s["created_at"], s["ended_at"]) for s in found]
    table(["scan", "source", "state", "created", "ended"], rows)


@app.command()
def show(scan: Scan, output: Output = Format.TABLE) -> None:
    """Show a scan with its rules, totals, what it cost and the orders that stand."""
    with profiles.client() as client:
        found = client.get(f"{_SCANS}/{scan}")
    if output is Format.JSON:
        as_json(found)
        return
    names = ("id", "state", "source_id", "totals", "spent", "control", "errors", "rules")
    fields({name: found[name] for name in names if found[name]})


@app.command()
def assets(
    scan: Scan, state: State = None, limit: Limit = 200, output: Output = Format.TABLE
) -> None:
    """List a scan's assets: what was done with each, and why."""
    with profiles.client() as client:
        found = _assets(client, scan, state, limit)
    _show_assets(found, output)


@app.command()
def plan(
    source: Source, mode: Mode = None, limit: Limit = 200, output: Output = Format.TABLE
) -> None:
    """Tell which assets a scan would read now, in which order, and why; no row is read."""
    with profiles.client() as client:
        body = {"mode": mode} if mode else {}
        run = client.post(f"{_SOURCES}/{known(client, source)}/plan", body)["run_id"]
        detail = client.wait(run)
        if detail["state"] != "completed":
            typer.echo(f"The plan's run {run} is {detail['state']}.", err=True)
            raise typer.Exit(1)
        found = _assets(client, detail["outputs"]["scan_id"], None, limit)
    _show_assets(found, output)


@app.command()
def start(source: Source, mode: Mode = None, output: Output = Format.TABLE) -> None:
    """Scan a registered source and watch the run; the exit code tells how it ended."""
    with profiles.client() as client:
        body = {"mode": mode} if mode else {}
        run = client.post(f"{_SOURCES}/{known(client, source)}/scan", body)["run_id"]
        if output is Format.JSON:
            as_json(client.wait(run))
            return
        state = watch_run(client, run)
    raise typer.Exit(0 if state == "completed" else 1)


@app.command()
def drift(
    source: Source,
    aspect: Annotated[
        str | None, typer.Option(help="schema, volume, freshness or classification.")
    ] = None,
    limit: Limit = 50,
    output: Output = Format.TABLE,
) -> None:
    """List what changed between scans of a source, newest first."""
    with profiles.client() as client:
        query = {"source_id": known(client, source)} | ({"aspect": aspect} if aspect else {})
        found = list(islice(client.items("/api/scan-logic/drift", **query), limit))
    if output is Format.JSON:
        as_json(found)
        return
    rows = [
        (e["created_at"][:19], e["asset"], e["column"], e["kind"], e["before"], e["after"],
         f"{e['magnitude']:.2f}")
        for e in found
    ]  # fmt: skip
    table(["seen", "asset", "column", "change", "before", "after", "magnitude"], rows)


@app.command()
def pause(scan: Scan, output: Output = Format.TABLE) -> None:
    """Read nothing until it is resumed."""
    _order(f"{scan}/pause", {}, output)


@app.command()
def resume(scan: Scan, output: Output = Format.TABLE) -> None:
    """Go on where it was."""
    _order(f"{scan}/resume", {}, output)


@app.command()
def throttle(
    scan: Scan,
    rows_per_second: Annotated[float | None, typer.Option(min=0.001)] = None,
    share: Annotated[float | None, typer.Option(max=1, help="Of its time, above 0.")] = None,
    output: Output = Format.TABLE,
) -> None:
    """Slow a running scan down; without a figure, let it read as its rules say."""
    _order(f"{scan}/throttle", {"rows_per_second": rows_per_second, "share": share}, output)


@app.command()
def cancel(
    scan: Scan,
    asset: Annotated[str | None, typer.Option(help="Only this asset, by name or id.")] = None,
    output: Output = Format.TABLE,
) -> None:
    """Cancel a scan with its run, or the reading of one of its assets."""
    with profiles.client() as client:
        if asset is not None:
            found = _asset_id(client, scan, asset)
            answer = client.post(f"{_SCANS}/{scan}/assets/{found}/cancel", {})
        else:
            answer = client.control(client.get(f"{_SCANS}/{scan}")["run_id"], "cancel")
    _answered(answer, output)


def _order(path: str, body: dict[str, Any], output: Format) -> None:
    with profiles.client() as client:
        answer = client.post(f"{_SCANS}/{path}", body)
    _answered(answer, output)


def _answered(answer: dict[str, Any], output: Format) -> None:
    if output is Format.JSON:
        as_json(answer)
    else:
        fields(answer)


def _asset_id(client: "Client", scan: str, asset: str) -> str:
    for found in client.items(f"{_SCANS}/{scan}/assets"):
        if asset in (found["id"], found["name"]):
            return str(found["id"])
    raise NotFound(f"The scan has no asset {asset!r}.", next_step="`racine scans assets` lists it.")


def _assets(client: "Client", scan: str, state: str | None, limit: int) -> list[dict[str, Any]]:
    query = {"state": state} if state else {}
    found = list(islice(client.items(f"{_SCANS}/{scan}/assets", **query), limit))
    return sorted(found, key=lambda a: (-a["plan"].get("score", 0.0), a["name"]))


def _show_assets(found: list[dict[str, Any]], output: Format) -> None:
    if output is Format.JSON:
        as_json(found)
        return
    rows = [(a["name"], _done(a), a["rows"], _why(a), ", ".join(a["plan"].get("order", ())))
            for a in found]  # fmt: skip
    table(["asset", "state", "rows", "why", "order"], rows)


def _done(asset: dict[str, Any]) -> str:
    return "unchanged" if asset["unchanged"] else str(asset["state"])


def _why(asset: dict[str, Any]) -> str:
    said = asset["error"] or asset["left_out"] or asset["plan"].get("why") or asset["rule"]
    return str(said)
