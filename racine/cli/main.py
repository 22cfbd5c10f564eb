"""The `racine` command: its verbs are imported when they are called, so that help is quick."""

import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from racine.cli import (
    bulk,
    deploy,
    gantt,
    jobs,
    orders,
    pools,
    repairs,
    runs,
    scans,
    schedules,
    sign_in,
    simulating,
    sources,
    workflows,
)
from racine.errors import RacineError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Find, scan, classify and govern data: jobs that survive everything.",
)

_ROOT = Path(__file__).resolve().parents[2]
_LOCAL = {
    "dev": "Run Temporal, the API and the workers on this machine.",
    "demo": "Show a whole governance run on made-up data.",
    "migrate": "Bring the database to this release's schema.",
    "scan": "Scan a database, file or folder once, without a server.",
}


@app.callback()
def root(
    profile: Annotated[
        str | None,
        typer.Option(envvar="RACINE_PROFILE", help="Which saved server to talk to."),
    ] = None,
) -> None:
    """Settings that hold for every command."""
    from racine.cli import profiles

    profiles.choose(profile)


app.command()(jobs.validate)
app.command()(jobs.apply)
app.command()(deploy.deploy)
app.command()(simulating.simulate)
app.command("run")(jobs.run)
app.command("login")(sign_in.login)
app.command("logout")(sign_in.logout)
app.add_typer(workflows.app, name="workflows", help="Look at saved jobs and their versions.")
app.add_typer(runs.app, name="runs", help="Look at runs and steer them.")
orders.mount(runs.app)
runs.app.command()(repairs.repair)
runs.app.command()(repairs.rerun)
runs.app.command()(bulk.bulk)
runs.app.command()(gantt.gantt)
app.add_typer(sources.app, name="sources", help="Register, test and list what is governed.")
app.add_typer(pools.app, name="pools", help="See and set what tasks share.")
app.add_typer(scans.app, name="scans", help="Plan, follow and steer scans; see what changed.")
app.add_typer(schedules.app, name="schedules", help="Let jobs run by themselves.")


_CLASSIFYING = {
    "classifiers": "List, show, test and add classifiers.",
    "classify": "Explain verdicts on columns, and review them.",
}


def _mount_classifying() -> None:
    """Add `racine classifiers` and `classify`; only a call of them loads them, help does not."""
    for name, what in _CLASSIFYING.items():
        module = f"racine.cli.{name}"
        if name in sys.argv:
            app.add_typer(import_module(module).app, name=name, help=what)
        elif find_spec(module) is not None:
            app.command(name, help=what)(lambda: None)


def _mount_local() -> None:
    """Add the commands of a checkout; without one they say what they need."""
    if not (_ROOT / "server.py").exists():
        for name, what in _LOCAL.items():
            app.command(name, help=f"{what} (needs a checkout or the image)")(_elsewhere(name))
        return
    sys.path.insert(0, str(_ROOT))
    # By name: the wheel must not depend on what only a checkout has.
    app.registered_commands.extend(import_module("server").app.registered_commands)


def _elsewhere(name: str) -> Callable[[], None]:
    def command() -> None:
        typer.echo(
            f"error: `racine {name}` needs a checkout of Racine or its image: the wheel holds the "
            "SDK and the client alone.",
            err=True,
        )
        raise typer.Exit(2)

    return command


def run() -> None:
    """Run the command line: exit code 1 for what failed, 2 for a call that makes no sense."""
    _mount_classifying()
    _mount_local()
    try:
        app()
    except RacineError as fault:
        from racine.cli.output import complain

        complain(fault)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
