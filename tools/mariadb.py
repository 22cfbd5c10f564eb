"""Finds MariaDB's server for the tests, or installs it from Debian's packages.

`python -m tools.mariadb` prints the path, installing the package first where it must and may.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from racine.errors import RacineError, Unavailable

PACKAGES = ("mariadb-server-core", "mariadb-client-core")
"""The programs alone: nothing is started, and no service is set up."""

_FOLDERS = "/usr/sbin:/usr/libexec:/usr/bin:/usr/local/sbin:/usr/local/bin:/opt/homebrew/bin"
_APT_SECONDS = 300


def mariadb_server() -> Path:
    """Return the path of `mariadbd`; raise Unavailable, saying how to get it, where none is."""
    found = shutil.which("mariadbd") or shutil.which("mariadbd", path=_FOLDERS)
    if found is None:
        raise Unavailable(
            "The tests need MariaDB's server, mariadbd, and it is not installed.",
            next_step=f"As root: apt-get install --no-install-recommends {' '.join(PACKAGES)}"
            " (other systems: the package that holds mariadbd and mariadb-install-db).",
        )
    return Path(found)


def install() -> Path:
    """Return the path of `mariadbd`, installing Debian's package first where that is possible."""
    try:
        return mariadb_server()
    except Unavailable:
        apt = shutil.which("apt-get")
        if apt is None or os.geteuid() != 0:
            raise
        _apt(apt, "update", "-q")
        _apt(apt, "install", "-y", "-q", "--no-install-recommends", *PACKAGES)
        return mariadb_server()


def _apt(apt: str, *arguments: str) -> None:
    done = subprocess.run(
        [apt, *arguments], env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
        stdout=sys.stderr, timeout=_APT_SECONDS, check=False,
    )  # fmt: skip
    if done.returncode:
        raise Unavailable(
            f"apt-get {arguments[0]} failed, so MariaDB's server could not be installed.",
            next_step=f"Install {' '.join(PACKAGES)} by hand.",
        )


def main() -> int:
    try:
        sys.stdout.write(f"{install()}\n")
    except RacineError as error:
        sys.stderr.write(f"error: {error.message}\n{error.next_step}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
