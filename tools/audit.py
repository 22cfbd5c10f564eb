"""`make audit`: looks the locked packages up among known vulnerabilities.

It fails on a vulnerability. Where the service cannot be reached it says that nothing was looked
up, and does not fail: a machine without internet must still be able to run the tests.
"""

import os
import subprocess
import sys
from importlib.metadata import version

import httpx

_SERVICE = "https://pypi.org"
_ASK_SECONDS = 10
_LOOK_UP_SECONDS = 600


def main() -> int:
    fault = _fault()
    if fault:
        _say(f"audit: NOT DONE, nothing was looked up: {fault}.")
        return 0
    export = (os.environ.get("UV", "uv"), "export", "--locked", "--quiet", "--no-emit-project")
    locked = subprocess.run(
        export, check=True, capture_output=True, text=True, timeout=_ASK_SECONDS
    ).stdout
    audit = (sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "--strict")
    command = [*audit, "--requirement", "/dev/stdin"]
    return subprocess.run(command, input=locked, text=True, timeout=_LOOK_UP_SECONDS).returncode


def _fault() -> str | None:
    """Return why the service cannot be asked; mirrors of it often leave vulnerabilities out."""
    try:
        answer = httpx.get(f"{_SERVICE}/pypi/pip/{version('pip')}/json", timeout=_ASK_SECONDS)
        if "vulnerabilities" in answer.raise_for_status().json():
            return None
        return f"{_SERVICE} answers without vulnerabilities"
    except (httpx.HTTPError, ValueError) as error:
        return f"{_SERVICE} cannot be asked ({type(error).__name__})"


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
