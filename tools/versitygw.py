"""Finds or builds versitygw, which serves a folder over S3 for the tests.

`python -m tools.versitygw` prints the path, building the program into the user's cache first where
it is not there.
"""

import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from racine.errors import RacineError, Unavailable

VERSION = "1.8.0"
_PACKAGE = "github.com/versity/versitygw/cmd/versitygw"
_GO = (1, 26)
_BUILD_SECONDS = 1200


def versitygw() -> Path:
    """Return the path of the program, built once for each user; raise Unavailable if it cannot."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    target = Path(home) / "racine" / "versitygw" / VERSION / "versitygw"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        with _lock(target.parent / ".lock"):
            if not target.exists():  # whoever held the lock has built it
                _build(target)
    return target


def _build(target: Path) -> None:
    go = _go()
    sys.stderr.write(
        f"Building versitygw {VERSION} with {go}: 2 to 4 minutes the first time on two cores.\n"
    )
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".making-") as folder:
        done = subprocess.run(
            [go, "install", "-trimpath", "-ldflags", "-s -w", f"{_PACKAGE}@v{VERSION}"],
            env=os.environ | {"GOBIN": folder, "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"},
            capture_output=True, text=True, timeout=_BUILD_SECONDS, check=False,
        )  # fmt: skip
        if done.returncode:
            last = " | ".join(done.stderr.strip().splitlines()[-3:])
            raise Unavailable(f"`go install` of versitygw failed: {last}", next_step=_WAY)
        # A rename is whole or not at all: a killed build never leaves half a program in place.
        (Path(folder) / target.name).replace(target)


_WAY = "Install Go 1.26 or newer (https://go.dev/dl), with access to a Go module proxy."


def _go() -> str:
    go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin:/usr/lib/go/bin")
    if go is None:
        raise Unavailable(
            "The tests need versitygw, and Go to build it is missing.", next_step=_WAY
        )
    told = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, timeout=30)
    found = re.match(r"go(\d+)\.(\d+)", told.stdout)
    if found is None or (int(found[1]), int(found[2])) < _GO:
        raise Unavailable(f"{go} is {told.stdout.strip() or 'broken'}.", next_step=_WAY)
    return go


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def main() -> int:
    try:
        sys.stdout.write(f"{versitygw()}\n")
    except RacineError as error:
        sys.stderr.write(f"error: {error.message}\n{error.next_step}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
