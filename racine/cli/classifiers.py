"""`racine classifiers`: list, show, test and add what columns are recognised by."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.console import Console
from rich.table import Table

from racine.cli import profiles
from racine.errors import InvalidInput
from racine.governance.classifications import custom, trying
from racine.governance.classifications.catalogue import Classifier, chances, classifiers

app = typer.Typer(help="The types of data that columns are recognised by.", no_args_is_help=True)

Output = Annotated[str, typer.Option("--output", help="`table` or `json`.")]
Source = Annotated[Path | None, typer.Argument(help="A YAML file of your own classifiers.")]
Server = Annotated[
    bool, typer.Option("--server", help="The workspace's own on the server, not this machine's.")
]
FOLDER = Path(typer.get_app_dir("racine")) / "classifiers"


@app.command("list")
def list_(
    pack: Annotated[str, typer.Option(help="Only this pack.")] = "",
    kind: Annotated[str, typer.Option(help="Only this kind.")] = "",
    server: Server = False,
    output: Output = "table",
) -> None:
    """List the classifiers with their measured chance rates, or a workspace's own ones."""
    if server:
        return _of_workspace(output)
    found = [e for e in classifiers() if pack in ("", e.pack) and kind in ("", e.kind)]
    if output == "json":
        return _json([_summary(entry) for entry in found])
    table = Table("id", "kind", "pack", "sensitivity", "chance", "name")
    for entry in found:
        table.add_row(entry.id, entry.kind, entry.pack, entry.sensitivity, _rate(entry), entry.name)
    Console().print(table)


@app.command()
def show(id_: Annotated[str, typer.Argument(metavar="ID")], output: Output = "table") -> None:
    """Show one classifier: its names, shape, check, chance rates and examples."""
    entry = next((e for e in classifiers() if e.id == id_), None)
    if entry is None:
        raise InvalidInput(
            f"There is no classifier {id_}.", next_step="List them with `racine classifiers list`."
        )
    details = {
        **_summary(entry),
        "headers": entry.headers,
        "weak_headers": entry.weak,
        "shape": entry.shape.pattern if entry.shape else "",
        "validator": entry.validator,
        "detectors": entry.detectors,
        "chance_rates": chances().get(entry.id, {}),
        "matching": [*entry.matching, *(example.columns for example in entry.matching_columns)],
        "rejecting": [*entry.rejecting, *(example.columns for example in entry.rejecting_columns)],
    }
    if output == "json":
        return _json(details)
    for name, value in details.items():
        shown = ", ".join(map(str, value)) if isinstance(value, (tuple, list)) else value
        Console().print(f"[bold]{name}[/]  {shown}", highlight=False)


@app.command("test")
def measure(file: Source = None, output: Output = "table") -> None:
    """Measure chance rates and collisions: of your own file, or of every built-in classifier.

    Exits with 1 when a classifier fails one of its own examples.
    """
    own = custom.from_yaml(_read(file)) if file else []
    report = asdict(trying.report(own or list(classifiers())))
    _print_report(report, output)
    if report["failures"]:
        raise typer.Exit(1)


@app.command()
def add(
    file: Annotated[Path, typer.Argument(help="A YAML file, or a text file with a word a line.")],
    id_: Annotated[str, typer.Option("--id", help="Id of a word list's classifier.")] = "",
    python: Annotated[str, typer.Option(help="module:function to ask about each value.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Save without asking.")] = False,
    folder: Annotated[Path, typer.Option(help="Where your classifiers are kept.")] = FOLDER,
    server: Server = False,
    output: Output = "table",
) -> None:
    """Add classifiers of your own after showing what they accept by chance and whom they meet."""
    own, document = _own(file, id_, python)
    report = asdict(trying.report(own))
    _print_report(report, output)
    if report["failures"]:
        raise InvalidInput(
            f"Nothing was saved: {report['failures'][0]}", next_step="Correct the entry or example."
        )
    if not (yes or typer.confirm("Save?")):
        return
    if server:
        return _send(document)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{own[0].id}.yaml").write_text(document, "utf-8")


@app.command()
def remove(
    id_: Annotated[str, typer.Argument(metavar="ID", help="One of the workspace's own.")],
) -> None:
    """Remove one of the workspace's own classifiers from the server."""
    with profiles.client() as client:
        client.delete_classifier(id_)


def _send(document: str) -> None:
    loaded = yaml.safe_load(document)
    with profiles.client() as client:
        for entry in loaded if isinstance(loaded, list) else [loaded]:
            client.set_classifier(entry)


def _of_workspace(output: str) -> None:
    with profiles.client() as client:
        found = list(client.classifiers())
    if output == "json":
        return _json(found)
    table = Table("id", "kind", "changed", "by")
    for item in found:
        kind = item["entry"].get("kind", item["name"])
        table.add_row(item["name"], kind, item["updated_at"], item["changed_by"])
    Console().print(table)


def _own(file: Path, id_: str, python: str) -> tuple[list[Classifier], str]:
    text = _read(file)
    if file.suffix in (".yaml", ".yml"):
        own = custom.from_yaml(text)
        if not python:
            return own, text
        loaded = yaml.safe_load(text)
        item = {**(loaded[0] if isinstance(loaded, list) else loaded), "python": python}
        document = yaml.safe_dump([item], allow_unicode=True, sort_keys=False)
        return custom.from_yaml(document), document
    words = [line.strip() for line in text.splitlines() if line.strip()]
    name = id_ or file.stem
    document = json.dumps([{"id": name, "words": words}], ensure_ascii=False, indent=1)
    return custom.from_yaml(document), document


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(
            f"{file} cannot be read: {error}.", next_step="Name a text file in UTF-8."
        ) from error


def _print_report(report: dict[str, Any], output: str) -> None:
    if output == "json":
        return _json(report)
    table = Table("id", "worst chance", "null model")
    for name, rates in report["chance_rates"].items():
        worst = max(rates, key=rates.__getitem__, default="")
        table.add_row(name, f"{rates.get(worst, 0.0):.1%}", worst)
    pairs = Table("accepts", "values of", "share")
    for pair in report["collisions"]:
        pairs.add_row(pair["accepting"], pair["other"], f"{pair['share']:.0%}")
    Console().print(table, pairs, *(f"[red]{failure}[/]" for failure in report["failures"]))


def _summary(entry: Classifier) -> dict[str, Any]:
    return {
        "id": entry.id,
        "kind": entry.kind,
        "name": entry.name,
        "pack": entry.pack,
        "category": entry.category,
        "sensitivity": entry.sensitivity,
        "chance": entry.chance,
    }


def _rate(entry: Classifier) -> str:
    return f"{entry.chance:.2%}" if entry.chance < 1 else ""


def _json(data: Any) -> None:
    typer.echo(json.dumps(data, ensure_ascii=False, indent=1))
