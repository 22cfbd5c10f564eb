"""Gets Temporal's CLI by the Python SDK's own download."""

import asyncio
import platform
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx
from temporalio.testing import WorkflowEnvironment

from racine.errors import Unavailable

_SITE = "https://temporal.download"
_ASK_SECONDS = 5
_FETCH_SECONDS = 300


def download(version: str, folder: Path, say: Callable[[str], None]) -> Path:
    """Fetch the binary of that version into the folder and return its path.

    The SDK downloads only while it starts a server, and waits long where there is no network: so
    the site is asked first, shortly. Raises Unavailable when it does not answer or the SDK fails.
    """
    _ask(version)
    say(f"Downloading Temporal {version} from {_SITE} …")
    try:
        asyncio.run(asyncio.wait_for(_start_once(version, folder), _FETCH_SECONDS))
    except (RuntimeError, TimeoutError) as error:
        raise Unavailable(f"The SDK's download of Temporal {version} failed: {error}.") from error
    fetched = [path for path in folder.iterdir() if path.is_file()]
    if len(fetched) != 1:
        raise Unavailable(f"The SDK's download left {len(fetched)} files where one was due.")
    return fetched[0]


def _ask(version: str) -> None:
    machine = "arm64" if platform.machine() in ("arm64", "aarch64") else "amd64"
    target = {"platform": platform.system().lower(), "arch": machine}
    try:
        httpx.get(
            f"{_SITE}/cli/v{version}", params=target, timeout=_ASK_SECONDS, follow_redirects=False
        ).raise_for_status()
    except httpx.HTTPError as error:
        raise Unavailable(
            f"Temporal's download ({_SITE}) cannot be reached: {type(error).__name__}."
        ) from error


async def _start_once(version: str, folder: Path) -> None:
    server = await WorkflowEnvironment.start_local(
        download_dest_dir=str(folder),
        dev_server_download_version=f"v{version}",
        dev_server_startup_timeout=timedelta(seconds=30),
    )
    await server.shutdown()
