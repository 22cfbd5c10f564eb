"""`racine classify …`: why a column is said to hold what it holds."""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer

from racine import templates
from racine.cli import profiles, reviews
from racine.cli.output import Format, Output, as_json, fields, table
from racine.cli.sources import known
from racine.errors import InvalidInput, NotFound

app = typer.Typer(no_args_is_help=True)
for _command in (reviews.queue, reviews.decide, reviews.relabel):
    app.command()(_command)

Column = Annotated[str, typer.Argument(metavar="TABLE.COLUMN", help="The column to explain.")]
Source = Annotated[
    str,
    typer.Argument(help="A file, folder or database URL to read now, or a catalogued source."),
]


@app.callback()
def root() -> None:
    """What columns hold, and why."""


@app.command()
def explain(
    source: Source,
    column: Column,
    rule_set: Annotated[Path | None, typer.Option(help="Rules of a source read now.")] = None,
    classifiers: Annotated[
        Path | None, typer.Option(help="Folder of your classifiers, for a source read now.")
    ] = None,
    output: Output = Format.TABLE,
) -> None:
    """Tell why a column got its verdict, and what would change it; no value is shown."""
    if "://" in source or Path(source).expanduser().exists():
        found = _read_now(source, column, rule_set, classifiers)
    else:
        found = _catalogued(source, column)
    if output is Format.JSON:
        as_json(found)
    else:
        _print(found)


@app.command()
def assist(
    source: Annotated[str, typer.Argument(help="A catalogued source, by name or id.")],
    at_least: Annotated[float, typer.Option(min=0, max=1, help="Lowest confidence.")] = 0.3,
    below: Annotated[float, typer.Option(min=0, max=1, help="Confidence that stands.")] = 0.9,
    limit: Annotated[int, typer.Option(min=1, max=100, help="Columns at a time.")] = 50,
    output: Output = Format.TABLE,
) -> None:
    """Start a run that puts a source's uncertain columns to a person."""
    with profiles.client() as client:
        given = {"source_id": known(client, source), "at_least": at_least, "below": below,
                 "limit": limit}  # fmt: skip
        job = client.apply(templates.load("assisted_classification"))
        run = client.run(job["name"], given)
    if output is Format.JSON:
        as_json({"run_id": run})
        return
    typer.echo(f"Run {run} asks about {source}.")
    typer.echo(f"`racine runs tasks {run}` shows when it waits for an answer;")
    typer.echo(f"`racine runs approve {run} ask --form answers.yaml` gives it.")


def _read_now(
    source: str, column: str, rule_set: Path | None, classifiers: Path | None
) -> dict[str, Any]:
    if find_spec("local") is None:
        raise InvalidInput(
            "Reading a source from here needs a checkout of Racine or its image.",
            next_step="Name a source that a server has catalogued instead.",
        )
    # By name: the wheel must not depend on what only a checkout has.
    told = import_module("local.explain").explain_column(source, column, rule_set, classifiers)
    return {"explanation": told.model_dump(mode="json"), "verdicts": []}


def _catalogued(source: str, column: str) -> dict[str, Any]:
    with profiles.client() as client:
        try:
            asked = {"source_id": known(client, source), "column": column}
        except NotFound as fault:
            raise NotFound(
                f"{source} is neither a file or folder here nor a catalogued source.",
                next_step=fault.next_step,
            ) from None
        return client.get("/api/classifications/explanation", **asked)


def _print(found: dict[str, Any]) -> None:
    told = found["explanation"]
    held = ", ".join(told["kinds"]) or "nothing that Racine knows"
    contained = any(item["holds"] and item["mode"] == "contains" for item in told["ranked"])
    verb = "contains" if contained else "holds"
    typer.echo(f"{told['table']}.{told['column']} {verb} {held} ({told['sensitivity']}).")
    typer.echo(
        f"{told['rows']:,} values, {told['distinct']:,} distinct, {told['sampled']:,} of them read "
        f"by the detectors; {told['placeholders']:,} placeholders."
    )
    if told["shapes"]:
        shapes = "  ".join(f"{shape} ({count})" for shape, count in told["shapes"].items())
        typer.echo(f"Shapes: {shapes}")
    rows = [_row(item) for item in told["ranked"]]
    names = ["type", "mode", "confidence", "threshold", "name", "values", "context", "check"]
    typer.echo()
    if rows:
        table(names, rows)
        typer.echo()
    for item in told["ranked"]:
        typer.echo(f"{item['classifier']}: {item['evidence']['words']}")
    for change in told["changes"]:
        typer.echo(change["words"])
    for verdict in found["verdicts"]:
        if verdict["decided_by"]:
            typer.echo()
            fields({k: verdict[k] for k in ("kind", "state", "decided_by", "decided_at", "reason")})
    versions = sorted({item["detector_version"] for item in told["ranked"]})
    typer.echo(f"Detectors: {', '.join(versions) or 'none spoke'}.")


def _row(item: dict[str, Any]) -> tuple[Any, ...]:
    evidence = item["evidence"]
    passing = "" if item["values_passing"] is None else (
        f"{item['values_passing']} of {item['values_read']}"
    )  # fmt: skip
    if passing and item["chance"] is not None:
        passing += f", {item['chance']:.2%} by chance"
    return (
        item["classifier"], item["mode"], f"{item['confidence']:.1%}", f"{item['threshold']:.0%}",
        *(f"{evidence[part]:+.1f}" for part in ("name", "values", "context")), passing,
    )  # fmt: skip
