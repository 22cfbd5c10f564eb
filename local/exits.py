"""How the local commands end: 0 done, 1 it could not be done, 2 it was asked for wrongly."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from racine.errors import InvalidInput, RacineError


@contextmanager
def errors_told() -> Iterator[None]:
    """Print an error of ours with its next step and exit; any other is a bug and goes on."""
    try:
        yield
    except RacineError as error:
        typer.echo(f"error: {error}", err=True)
        for fault in error.faults:
            typer.echo(f"  {fault.pointer}: {fault.message} {fault.next_step}".rstrip(), err=True)
        raise typer.Exit(2 if isinstance(error, InvalidInput) else 1) from None
