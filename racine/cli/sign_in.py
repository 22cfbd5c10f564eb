"""`racine login` and `racine logout`."""

import os
import socket
from pathlib import Path
from typing import Annotated

import typer

from racine.cli import profiles
from racine.cli.output import usage
from racine.ids import new_id


def login(
    url: Annotated[str, typer.Option(envvar="RACINE_URL", help="Address of the server.")],
    api_key: Annotated[
        str | None, typer.Option(envvar="RACINE_API_KEY", help="A key that was made before.")
    ] = None,
    email: Annotated[
        str | None, typer.Option(help="Sign in as a person: a key is made for this machine.")
    ] = None,
    password_file: Annotated[
        Path | None, typer.Option(help="Read the password here; else RACINE_PASSWORD, else ask.")
    ] = None,
) -> None:
    """Keep an API key for this machine's user; without one, it is asked for or made."""
    from racine.client import Client

    if not url.startswith(("http://", "https://")):
        raise usage(f"{url!r} is no http or https address.")
    if email is not None:
        key = _made_key(url, email, _password(password_file))
    else:
        key = api_key or typer.prompt("API key", hide_input=True)
    with Client(url, key) as client:
        who = client.profile()
    name = profiles.save(url, key)
    typer.echo(f"{who['email']} on {url}, kept as profile {name!r} in {profiles.path()}.")


def _password(file: Path | None) -> str:
    if file is not None:
        if not file.is_file():
            raise usage(f"There is no file {file}.")
        return file.read_text(encoding="utf-8").strip()
    return os.environ.get("RACINE_PASSWORD") or str(typer.prompt("Password", hide_input=True))


def _made_key(url: str, email: str, password: str) -> str:
    from racine.client import Client, signed_in

    token = signed_in(url, email, password)
    with Client(url, token) as client:
        # A name is taken once: each login makes a key of its own, which can be revoked alone.
        name = f"racine on {socket.gethostname()[:60]} {new_id('login')[-8:]}"
        return client.new_key(name, ["*:*"])


def logout() -> None:
    """Forget the saved key."""
    typer.echo("Forgotten." if profiles.forget() else "There was nothing to forget.")
