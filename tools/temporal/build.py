"""Builds Temporal's CLI with Go, from the module beside this file."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from racine.errors import Unavailable

_MODULE = Path(__file__).resolve().parent
_PACKAGE = "github.com/temporalio/cli/cmd/temporal"
_GO = (1, 26, 4)
"""What the CLI's go.mod asks for."""
_EVERY_SECONDS = 10
_LIST_SECONDS = 900


def build(version: str, folder: Path, say: Callable[[str], None]) -> Path:
    """Build the binary of that version into the folder and return its path.

    Five to six minutes on two cores with an empty Go cache. Raises Unavailable when Go is absent
    or too old, or when the build fails, with Go's last words.
    """
    go = _go()
    say(f"Building Temporal {version} with {go}: about 6 minutes the first time on two cores.")
    total = _count_packages(go, say)
    target = folder / "temporal"
    flags = f"-s -w -X github.com/temporalio/cli/internal/temporalcli.Version={version}"
    command = [go, "build", "-v", "-trimpath", "-ldflags", flags, "-o", str(target), _PACKAGE]
    _run(command, total, say)
    return target


def _go() -> str:
    go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin:/usr/lib/go/bin")
    if go is None:
        raise Unavailable("Go is not installed.")
    told = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, timeout=30)
    found = re.match(r"go(\d+)\.(\d+)(?:\.(\d+))?", told.stdout)
    if found is None or tuple(int(part or 0) for part in found.groups()) < _GO:
        least = ".".join(map(str, _GO))
        raise Unavailable(f"{go} is {told.stdout.strip() or 'broken'}; {least} is the least.")
    return go


def _count_packages(go: str, say: Callable[[str], None]) -> int:
    say("Downloading Go modules (about 1.5 GB unpacked) …")
    try:
        listed = subprocess.run(
            [go, "list", "-deps", _PACKAGE],
            cwd=_MODULE, env=_environment(), capture_output=True, text=True, timeout=_LIST_SECONDS,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise Unavailable(f"`go list` took over {_LIST_SECONDS} s to get the modules.") from None
    if listed.returncode:
        raise Unavailable(f"`go list` failed: {_last_words(listed.stderr)}")
    return len(listed.stdout.splitlines())


def _run(command: list[str], total: int, say: Callable[[str], None]) -> None:
    began = told = time.monotonic()
    lines: list[str] = []
    with subprocess.Popen(
        command, cwd=_MODULE, env=_environment(), stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            lines.append(line)
            if time.monotonic() - told >= _EVERY_SECONDS:
                told = time.monotonic()
                say(f"  {len(lines)} of at most {total} packages, {told - began:.0f} s")
    if process.returncode:
        raise Unavailable(f"`go build` failed: {_last_words(''.join(lines))}")


def _environment() -> dict[str, str]:
    return os.environ | {"GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}


def _last_words(text: str) -> str:
    return " | ".join(text.strip().splitlines()[-3:])
