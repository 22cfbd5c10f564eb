"""Finds Temporal's CLI, or gets it: the one way for make, the CLI and the tests.

`python -m tools.temporal.binary` prints the path, getting the binary first where it must.
"""

import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from racine.errors import RacineError, Unavailable
from tools.temporal.build import build
from tools.temporal.download import download

VERSION = "1.8.2"
"""The pinned CLI; it carries server 1.31.2."""

_TOO_NEW = (2,)
_WAYS = """Any one of these four ways gives it:
  1. set TEMPORAL_CLI to the path of a `temporal` binary;
  2. put `temporal` {version} or newer on PATH;
  3. allow access to https://temporal.download, so that the SDK can fetch it;
  4. install Go 1.26.4 or newer (https://go.dev/dl) with access to a Go module proxy."""

Say = Callable[[str], None]


def temporal_binary(say: Say | None = None) -> Path:
    """Return the path of a good `temporal` binary, getting it into the cache when there is none.

    In this order: `$TEMPORAL_CLI`, `temporal` on PATH, the cache, the SDK's download, `go build`.
    `say` is given one line of progress at a time (default: standard error). Raises Unavailable,
    naming the four ways, when all of them fail or `$TEMPORAL_CLI` cannot be used.
    """
    named = os.environ.get("TEMPORAL_CLI")
    if named:
        return _named(Path(named))
    on_path = shutil.which("temporal")
    if on_path and _is_good(_version(Path(on_path))):
        return Path(on_path)
    cached = cache_folder() / "temporal"
    if not cached.exists():
        _get(cached, say or _to_stderr)
    return cached


def cache_folder() -> Path:
    """Return the user's folder for this version of the binary."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "racine" / "temporal" / VERSION


def _named(path: Path) -> Path:
    found = _version(path)
    if not _is_good(found):
        said = ".".join(map(str, found)) if found else "no version"
        raise Unavailable(
            f"TEMPORAL_CLI is {path}, which is not a usable `temporal` binary: it tells {said}.",
            next_step=f"Let it name version {VERSION} or newer, or unset it.",
        )
    return path


def _version(path: Path) -> tuple[int, ...] | None:
    try:
        told = subprocess.run(
            [path, "--version"], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"temporal version (\d+)\.(\d+)\.(\d+)", told.stdout)
    return tuple(map(int, found.groups())) if found else None


def _is_good(version: tuple[int, ...] | None) -> bool:
    pinned = tuple(map(int, VERSION.split(".")))
    return version is not None and pinned <= version < _TOO_NEW


def _get(target: Path, say: Say) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with _lock(target.parent / ".lock", say):
        if target.exists():  # whoever held the lock has made it
            return
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".making-") as folder:
            made = _make(Path(folder), say)
            if not _is_good(_version(made)):
                raise Unavailable(f"{made} was made but does not run.", next_step=_ways())
            # A rename is whole or not at all: a killed build never leaves half a binary in place.
            made.replace(target)
    say(f"Temporal {VERSION} is at {target}.")


def _make(folder: Path, say: Say) -> Path:
    failures = []
    for way in (download, build):
        try:
            return way(VERSION, folder, say)
        except RacineError as error:
            say(str(error))
            failures.append(str(error))
    raise Unavailable(
        f"There is no Temporal server binary, and getting one failed. {' '.join(failures)}",
        next_step=_ways(),
    )


def _ways() -> str:
    return _WAYS.format(version=VERSION)


@contextmanager
def _lock(path: Path, say: Say) -> Iterator[None]:
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another process is getting Temporal's binary: waiting for it.")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _to_stderr(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def main() -> int:
    try:
        path = temporal_binary()
    except RacineError as error:
        _to_stderr(f"error: {error.message}\n{error.next_step}")
        return 1
    sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
