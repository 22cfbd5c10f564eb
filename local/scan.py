"""`racine scan`: reads one source, says what its columns hold, and keeps nothing.

No server and no database take part, so a URL may hold a password: it is never stored or shown.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer
import yaml

from activities.connectors.boundary import Boundary
from activities.connectors.opening import connect, kind_of_file
from activities.connectors.protocol import Asset, Connector
from activities.reading import AssetFacts, read_asset, table_evidence
from local.exits import errors_told
from local.scan_report import Progress, print_table
from models import classifiers
from racine.cli.classifiers import FOLDER
from racine.errors import InvalidInput, SourceFault, Unavailable
from racine.governance.classifications.engine import Classifier, ClassifySettings, decide
from racine.governance.data_sources import locations
from racine.governance.scan_rule_sets.rules import Budget, Rules, parse

WHOLE = Rules(sample="all", budget=Budget())
"""Every row is read, however long it takes: who scans one source by hand wants it whole; a rule set
can say otherwise."""


def scan(
    target: str,
    rule_set: Path | None = None,
    output: str = "table",
    own: Path | None = None,
    free_text_names: str = "",
) -> None:
    """Scan a database URL, file or folder; exit 2 for a bad request, 1 when nothing was read.

    `own` is the folder of the user's classifiers, by default the one they are added to;
    `free_text_names` the spaCy pipeline that finds names in free text.
    """
    with errors_told():
        kept = FOLDER if FOLDER.is_dir() else None
        rules = read_rules(rule_set) if rule_set else WHOLE
        report = scan_once(target, rules, classifiers.load(own or kept, free_text_names))
    if output == "json":
        typer.echo(json.dumps(report, ensure_ascii=False))
    else:
        print_table(report)
    if report["errors"] and not report["totals"]["columns"]:
        raise typer.Exit(1)


def scan_once(target: str, rules: Rules, own: Sequence[Classifier] = ()) -> dict[str, Any]:
    """Return what a source's assets hold; an asset that cannot be read is under `errors`."""
    location = locate(target)
    connector = connect(location, Boundary())
    try:
        listing = connector.discover()
        selection = rules.selection()
        chosen = [a for a in listing.assets if selection.explain(a.name).included]
        errors = [{"asset": None, "message": message} for message in listing.errors]
        assets = []
        for asset in Progress(chosen):
            try:
                assets.append(_scan_asset(connector, asset, rules, own))
            except (SourceFault, Unavailable) as fault:
                errors.append({"asset": asset.name, "message": str(fault)})
    finally:
        connector.close()
    return {
        "source": {"kind": location.kind, "location": str(location)},
        "assets": assets,
        "errors": errors,
        "totals": _totals(assets, errors, len(listing.assets) - len(chosen)),
    }


def locate(target: str) -> locations.Location:
    """Return the location of a URL, or of a file or folder whose kind its first bytes tell."""
    if "://" in target:
        return _with_own_key(locations.parse(target))
    path = Path(target).expanduser()
    if not path.exists():
        raise SourceFault(
            f"There is no file or folder {target}.",
            next_step="Give a path, or a URL such as postgresql://user@host/database.",
        )
    return locations.parse(str(path), kind_of_file(path))


def _with_own_key(location: locations.Location) -> locations.Location:
    """Give a bucket the key of the user's environment, where its URL brings none."""
    key, secret = os.environ.get("AWS_ACCESS_KEY_ID"), os.environ.get("AWS_SECRET_ACCESS_KEY")
    if location.kind != "s3" or location.password or not (key and secret):
        return location
    token = os.environ.get("AWS_SESSION_TOKEN", "")
    parts = {"access_key_id": key, "secret_access_key": secret, "session_token": token}
    return location.with_password(json.dumps(parts))


def read_rules(path: Path) -> Rules:
    """Return the rule set of a YAML or JSON file."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as fault:
        raise InvalidInput(f"The rule set {path} cannot be read: {fault}.") from None
    except yaml.YAMLError as fault:
        place = getattr(fault, "problem_mark", None)
        where = f" at line {place.line + 1}" if place else ""
        raise InvalidInput(f"The rule set {path} is not valid YAML{where}.") from None
    return parse(content if content is not None else {})


def _scan_asset(
    connector: Connector, asset: Asset, rules: Rules, own: Sequence[Classifier]
) -> dict[str, Any]:
    if asset.error:
        raise SourceFault(asset.error)
    facts = read_asset(connector, asset, rules, own=own)
    return {
        "name": asset.name,
        "kind": asset.kind,
        "rows": facts.rows,
        "rows_read": facts.rows_read,
        "limits": facts.limits,
        "irregular": facts.irregular,
        "columns": _columns(asset, facts, rules, own),
    }


def _columns(
    asset: Asset, facts: AssetFacts, rules: Rules, own: Sequence[Classifier]
) -> list[dict[str, Any]]:
    settings = ClassifySettings(
        packs=rules.packs, thresholds=rules.thresholds, disabled=rules.disabled
    )
    return [
        {
            "name": column.name,
            "type": profile["type"] if asset.kind == "file" else column.type,
            "nulls": profile["nulls"],
            "distinct": profile["distinct"],
            **verdict.model_dump(
                mode="json", include={"sensitivity", "classifications", "candidates"}
            ),
        }
        for column, profile, verdict in zip(
            asset.columns,
            facts.profiles,
            decide(table_evidence(asset, facts), settings, own),
            strict=True,
        )
    ]


def _totals(
    assets: list[dict[str, Any]], errors: list[dict[str, Any]], excluded: int
) -> dict[str, Any]:
    columns = [column for asset in assets for column in asset["columns"]]
    kinds: dict[str, int] = {}
    for column in columns:
        for found in column["classifications"][:1]:
            kinds[found["kind"]] = kinds.get(found["kind"], 0) + 1
    return {
        "assets": len(assets),
        "excluded": excluded,
        "columns": len(columns),
        "rows": sum(asset["rows_read"] for asset in assets),
        "classified": sum(bool(column["classifications"]) for column in columns),
        "by_kind": dict(sorted(kinds.items())),
        "errors": len(errors),
    }
