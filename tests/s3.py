"""A folder served over S3 by versitygw."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import urllib3

from tests.postgres import free_port
from tools.versitygw import versitygw

ROOT_KEY, ROOT_SECRET = "root-key", "root-secret"


@dataclass(frozen=True)
class Gateway:
    """A running gateway; the folders in `folder` are its buckets."""

    folder: Path
    port: int
    process: "subprocess.Popen[bytes]"

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def bucket(self, name: str) -> Path:
        """Make a bucket; what is written to its folder are its objects."""
        (self.folder / name).mkdir(exist_ok=True)
        return self.folder / name

    def url(self, path: str, user: str = ROOT_KEY, secret: str = ROOT_SECRET) -> str:
        return f"s3://{user}:{secret}@{quote(path)}?endpoint={quote(self.endpoint, safe='')}"

    def admin(self, *arguments: str) -> None:
        """Order the gateway's administration: users and their secrets."""
        command: list[str | Path] = [
            versitygw(), "admin", "--access", ROOT_KEY, "--secret", ROOT_SECRET,
            "--endpoint-url", self.endpoint, *arguments,
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def gateway() -> Iterator[Gateway]:
    """Run a gateway over a temporary folder, and stop it."""
    home = Path(tempfile.mkdtemp(prefix="racine-s3-"))
    (home / "buckets").mkdir()
    (home / "users").mkdir()
    port = free_port()
    try:
        process = subprocess.Popen(
            [
                versitygw(), "--port", f"127.0.0.1:{port}", "--access", ROOT_KEY,
                "--secret", ROOT_SECRET, "--iam-dir", str(home / "users"), "--iam-cache-disable",
                "--quiet", "posix", "--nometa", str(home / "buckets"),
            ],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        guard = subprocess.Popen(
            ["sh", "-c", f"while kill -0 {os.getpid()} 2>/dev/null; do sleep 1; done;"
             f" kill {process.pid} 2>/dev/null; rm -rf {home}"],
            start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            found = Gateway(home / "buckets", port, process)
            _await(found)
            yield found
        finally:
            process.kill()
            process.wait()
            guard.kill()
            guard.wait()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _await(found: Gateway) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            urllib3.request("GET", found.endpoint, timeout=2, retries=False)
            return
        except urllib3.exceptions.HTTPError:
            assert found.process.poll() is None, "versitygw ended at once"
            assert time.monotonic() < deadline, "versitygw does not answer"
            time.sleep(0.05)
