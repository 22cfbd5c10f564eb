"""The peers of the classifier, and what each needs to run."""

from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


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
    def lock(self) -> Path:
        return HERE / "locks" / f"{self.file}.txt"

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
