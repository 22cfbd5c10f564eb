"""An environment for each peer, made once from its lock file."""

import hashlib
import subprocess
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
TOOLS = Path(".tools/peers")
INSTALL_SECONDS = 600


@dataclass(frozen=True)
class Peer:
    """A tool, the Python it runs on, and whether it looks at values at all."""

    name: str
    version: str
    python: str = "3.11"
    reads_values: bool = True

    @property
    def file(self) -> str:
        """The stem of its lock file and of its runner."""
        return self.name.replace("-", "_")

    @property
    def runner(self) -> Path:
        """The script that answers for it."""
        return HERE / "runners" / f"run_{self.file}.py"


PEERS = (
    # It pins a cryptography of 2022, for which newer Pythons have no wheels.
    Peer("piicatcher", "0.17.5", python="3.9", reads_values=False),
    Peer("dataprofiler", "0.14.0"),
    Peer("presidio", "2.2.366"),
    Peer("datahub-classify", "0.0.12"),
)


def interpreter(peer: Peer, tools: Path = TOOLS) -> Path:
    """The Python of the peer's environment under `tools`, made when missing or of another lock.

    Raises:
        subprocess.CalledProcessError: uv could not make it, say for want of a network.
    """
    lock = HERE / "locks" / f"{peer.file}.txt"
    folder = tools / peer.file
    python, stamp = folder / "bin" / "python", folder / "lock.sha256"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != digest:
        _uv("venv", "--clear", "--python", peer.python, str(folder))
        # The lock is whole, and piicatcher's own requirements contradict each other.
        _uv("pip", "install", "--no-deps", "--python", str(python), "-r", str(lock))
        stamp.write_text(digest)
    return python


def _uv(*arguments: str) -> None:
    subprocess.run(
        ["uv", *arguments, "--quiet"],
        check=True,
        capture_output=True,
        text=True,
        timeout=INSTALL_SECONDS,
    )
