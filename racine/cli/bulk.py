"""`racine runs bulk`: one order to all runs that fit."""

import sys
from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from racine.cli import profiles
from racine.cli.output import Format, Output, as_json, table, usage
from racine.cli.runs import Job, Reason, Since, Trigger, Until, job_of, zoned

_SHOWN = 20
_STATE = "Only in this state; left out, those that can obey, or have failed for repair."


def bulk(
    action: Annotated[
        str, typer.Argument(help="pause, resume, cancel, terminate, or repair what failed.")
    ],
    job: Job = None,
    state: Annotated[str | None, typer.Option(help=_STATE)] = None,
    trigger: Trigger = None,
    since: Since = None,
    until: Until = None,
    force: Annotated[bool, typer.Option(help="Of cancel: end without waiting.")] = False,
    latest: Annotated[
        bool, typer.Option("--latest", help="Of repair: with the job's latest version.")
    ] = False,
    reason: Reason = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell which runs fit.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing.")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Give one order to all runs that fit; each is told as if it were alone.

    Exit code 1 when one refused.
    """
    given: dict[str, Any] = {
        "job": job, "state": state, "trigger": trigger, "since": zoned(since),
        "until": zoned(until), "force": force, "version": "latest" if latest else "pinned",
        "reason": reason,
    }  # fmt: skip
    with profiles.client() as client:
        if dry_run or not yes:
            preview = next(client.order_many(action, **given, dry_run=True))
            if dry_run:
                _preview(action, preview, output)
                return
            _confirm(action, preview["count"])
        told = _told(client.order_many(action, **given))
    _show(action, told, output)
    if any(run["state"] == "refused" for run in told):
        raise typer.Exit(1)


def _told(pages: Iterator[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what became of all runs, and say meanwhile how far it is."""
    told: list[dict[str, Any]] = []
    total = 0
    for page in pages:
        told += page["items"]
        total = total or page["count"]
        typer.echo(f"{len(told)} of {total} told …", err=True)
    return told


def _confirm(action: str, count: int) -> None:
    if not sys.stdin.isatty():
        raise usage(f"{count} runs fit, and nobody is there to ask: --yes does it.")
    typer.confirm(f"{action} {count} runs?", abort=True)


def _preview(action: str, page: dict[str, Any], output: Format) -> None:
    if output is Format.JSON:
        as_json(page)
        return
    rows = [(run["run_id"], job_of(run), run["was"]) for run in page["items"][:_SHOWN]]
    table(["run", "job", "state"], rows)
    rest = page["count"] - len(rows)
    typer.echo(f"{action} would reach {page['count']} runs" + (f", {rest} more" if rest else ""))


def _show(action: str, told: list[dict[str, Any]], output: Format) -> None:
    if output is Format.JSON:
        as_json(told)
        return
    refused = [run for run in told if run["state"] == "refused"]
    if refused:
        table(["run", "job", "refused"], [(r["run_id"], job_of(r), r["message"]) for r in refused])
    counts = Counter(run["state"] for run in told)
    said = ", ".join(f"{count} {state}" for state, count in counts.most_common())
    typer.echo(f"{action}: {said or 'no run fits'}")
