"""`make audit`: looks the locked packages up among known vulnerabilities.

It fails on a vulnerability. Where the service cannot be reached it says that nothing was looked
up, and does not fail: a machine without internet must still be able to run the tests.
"""

import os
import subprocess
import sys

import httpx

_SERVICE = "https://api.osv.dev"
"""Open Source Vulnerabilities, the database that pip-audit asks here."""
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
    command = [*audit, "--vulnerability-service", "osv", "--requirement", "/dev/stdin"]
    return subprocess.run(command, input=locked, text=True, timeout=_LOOK_UP_SECONDS).returncode


def _fault() -> str | None:
    """Return why the service cannot be asked."""
    try:
        httpx.post(f"{_SERVICE}/v1/query", json={}, timeout=_ASK_SECONDS)
    except httpx.HTTPError as error:
        return f"{_SERVICE} cannot be asked ({type(error).__name__})"
    return None


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
