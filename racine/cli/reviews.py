"""`racine classify queue|decide|relabel`: what people say of the verdicts that machines gave."""

from itertools import islice
from typing import Annotated, Any

import typer

from racine.cli import profiles
from racine.cli.output import Format, Output, as_json, table
from racine.cli.sources import known
from racine.errors import InvalidInput
from racine.governance.classifications.wording import held, percent

_VERDICTS = "/api/classifications"

Verdict = Annotated[str, typer.Argument(metavar="VERDICT", help="The verdict's id, as listed.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept with the decision.")]
Answer = Annotated[str, typer.Argument(metavar="DECISION", help="`confirmed` or `rejected`.")]
Source = Annotated[str | None, typer.Option(help="Only verdicts of this source, by name or id.")]
Kind = Annotated[str | None, typer.Option(help="Only verdicts of this kind.")]


def queue(
    source: Source = None,
    kind: Kind = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    output: Output = Format.TABLE,
) -> None:
    """List the verdicts that wait for a person, most telling first."""
    with profiles.client() as client:
        asked = {"source_id": known(client, source) if source else None, "kind": kind}
        found = list(islice(client.items(f"{_VERDICTS}/queue", **asked), limit))
    if output is Format.JSON:
        as_json(found)
        return
    rows = [
        (v["id"], f"{v['asset_name']}.{v['column_name']}", _held(v), percent(v["confidence"]),
         v["sensitivity"], v["evidence"].get("words", ""))
        for v in found
    ]  # fmt: skip
    table(["verdict", "column", "holds", "confidence", "sensitivity", "why"], rows)


def _held(verdict: dict[str, Any]) -> str:
    told = held(verdict["kind"], verdict["evidence"].get("mode", ""))
    return told if verdict["applied"] else f"{told} (not applied)"


def decide(
    answer: Answer,
    reason: Reason,
    verdict: Annotated[str, typer.Option(help="One verdict, by its id.")] = "",
    pattern: Annotated[
        str, typer.Option(help="Every undecided one whose table.column fits: * and ?, or re:…")
    ] = "",
    source: Source = None,
    kind: Kind = None,
    output: Output = Format.TABLE,
) -> None:
    """Confirm or reject one verdict, or all whose column fits a pattern; no scan overturns it."""
    if bool(verdict) == bool(pattern):
        raise InvalidInput(
            "It is not said what is decided.", next_step="Name either --verdict or --pattern."
        )
    said: dict[str, Any] = {"decision": answer, "reason": reason}
    with profiles.client() as client:
        if verdict:
            found = client.post(f"{_VERDICTS}/verdicts/{verdict}/decision", said)
        else:
            source_id = known(client, source) if source else None
            limits = {"pattern": pattern, "source_id": source_id, "kind": kind}
            found = client.post(f"{_VERDICTS}/decisions", said | limits)
    if output is Format.JSON:
        as_json(found)
    else:
        typer.echo(f"{found.get('decided', 1)} decided: {answer}.")


def relabel(verdict: Verdict, kind: str, reason: Reason, output: Output = Format.TABLE) -> None:
    """Reject a verdict and state what its column holds instead."""
    with profiles.client() as client:
        said = {"kind": kind, "reason": reason}
        found = client.post(f"{_VERDICTS}/verdicts/{verdict}/relabel", said)
    if output is Format.JSON:
        as_json(found)
    else:
        typer.echo(f"{found['asset_name']}.{found['column_name']} holds {found['kind']}.")
