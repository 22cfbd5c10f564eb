"""Which server to talk to: the environment first, then a file that only its owner may read."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from racine.errors import InvalidInput

if TYPE_CHECKING:
    from racine.client import Client

_DEFAULT = "default"
_chosen = {"profile": _DEFAULT}


def choose(profile: str | None) -> None:
    _chosen["profile"] = profile or _DEFAULT


def path() -> Path:
    """Return the file of profiles, as the XDG base directory specification places it."""
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "racine" / "profiles.json"


def save(url: str, api_key: str) -> str:
    """Keep a server and its key under the chosen profile; return the profile's name."""
    file = path()
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    known = _read() | {_chosen["profile"]: {"url": url, "api_key": api_key}}
    _write(file, known)
    return _chosen["profile"]


def forget() -> bool:
    """Drop the chosen profile; return whether there was one."""
    known = _read()
    there = known.pop(_chosen["profile"], None) is not None
    if there:
        _write(path(), known)
    return there


def client() -> "Client":
    """Return a client of the chosen server; raise InvalidInput when none is known."""
    from racine.client import Client

    profile = _read().get(_chosen["profile"], {})
    url = os.environ.get("RACINE_URL") or profile.get("url")
    # A saved key goes only to the server that it was saved for.
    saved = profile.get("api_key") if url == profile.get("url") else None
    api_key = os.environ.get("RACINE_API_KEY") or saved
    if not url or not api_key:
        raise InvalidInput(
            "No server is known." if not url else f"No API key for {url} is known.",
            next_step="Set RACINE_URL and RACINE_API_KEY, or call `racine login`.",
        )
    return Client(url, api_key, workspace=os.environ.get("RACINE_WORKSPACE"))


def _read() -> dict[str, Any]:
    file = path()
    if not file.exists():
        return {}
    if file.stat().st_mode & 0o077:
        raise InvalidInput(f"Others can read {file}.", next_step=f"chmod 600 {file}")
    try:
        return dict(json.loads(file.read_text()))
    except ValueError:
        raise InvalidInput(f"{file} is not JSON.", next_step="Remove it, then log in.") from None


def _write(file: Path, known: dict[str, Any]) -> None:
    fresh = file.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    # Made unreadable for others from the start, and put in place whole.
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        json.dump(known, stream, indent=2)
    fresh.replace(file)
