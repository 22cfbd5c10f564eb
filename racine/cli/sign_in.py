"""`racine login` and `racine logout`."""

from typing import Annotated

import typer

from racine.cli import profiles
from racine.cli.output import usage


def login(
    url: Annotated[str, typer.Option(envvar="RACINE_URL", help="Address of the server.")],
    api_key: Annotated[
        str | None,
        typer.Option(envvar="RACINE_API_KEY", help="Asked for when it is not given."),
    ] = None,
) -> None:
    """Try an API key and keep it for this machine's user."""
    from racine.client import Client

    key = api_key or typer.prompt("API key", hide_input=True)
    if not url.startswith(("http://", "https://")):
        raise usage(f"{url!r} is no http or https address.")
    with Client(url, key) as client:
        who = client.profile()
    name = profiles.save(url, key)
    typer.echo(f"{who['email']} on {url}, kept as profile {name!r} in {profiles.path()}.")


def logout() -> None:
    """Forget the saved key."""
    typer.echo("Forgotten." if profiles.forget() else "There was nothing to forget.")
