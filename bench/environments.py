"""Python environments of other tools, each made once from a lock file of its own."""

import hashlib
import subprocess
from pathlib import Path

TOOLS = Path(".tools/peers")
INSTALL_SECONDS = 600


def interpreter(lock: Path, python: str = "3.11", tools: Path = TOOLS) -> Path:
    """Return the Python of a lock file's environment, made when missing or of another lock.

    Raises:
        subprocess.CalledProcessError: uv could not make it, say for want of a network.
    """
    folder = tools / lock.stem
    binary, stamp = folder / "bin" / "python", folder / "lock.sha256"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != digest:
        _uv("venv", "--clear", "--python", python, str(folder))
        # A lock is whole, and some tools' own requirements contradict each other.
        _uv("pip", "install", "--no-deps", "--python", str(binary), "-r", str(lock))
        stamp.write_text(digest)
    return binary.absolute()


def _uv(*arguments: str) -> None:
    subprocess.run(
        ["uv", *arguments, "--quiet"],
        check=True,
        capture_output=True,
        text=True,
        timeout=INSTALL_SECONDS,
    )
