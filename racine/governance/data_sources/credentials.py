"""References to credentials: where a secret is found, never the secret itself."""

import re
from dataclasses import dataclass
from typing import Literal

from racine.errors import InvalidInput

Scheme = Literal["env", "file", "secret"]

_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,199}")
_SECRET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_HOW = "Give it as env:NAME, file:PATH or secret:NAME."


@dataclass(frozen=True)
class Reference:
    """Where a secret is: an environment variable, a file, or the encrypted store."""

    scheme: Scheme
    name: str


def parse(reference: str) -> Reference:
    """Return the parts of `env:NAME`, `file:PATH` or `secret:NAME`.

    Raises InvalidInput for anything else, without repeating it: it may be the secret itself.
    """
    scheme, _, name = reference.partition(":")
    if scheme == "env" and _ENV_NAME.fullmatch(name):
        return Reference("env", name)
    if scheme == "file" and name.startswith("/"):
        return Reference("file", name)
    if scheme == "secret" and _SECRET_NAME.fullmatch(name):
        return Reference("secret", name)
    if scheme == "file":
        raise InvalidInput("A credential's file: reference needs an absolute path.", next_step=_HOW)
    raise InvalidInput("The credential is not a reference to a secret.", next_step=_HOW)


def check_secret_name(name: str) -> None:
    if not _SECRET_NAME.fullmatch(name):
        raise InvalidInput(
            f"{name!r} cannot name a secret.",
            next_step="Use up to 100 letters, digits, dots, dashes and underscores.",
        )
