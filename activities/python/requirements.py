"""What a bundle's `requirements.txt` asks for, against what this worker has."""

from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from racine.errors import InvalidInput


def require_packages(file: Path) -> None:
    """Raise InvalidInput naming every line of the file that this worker's packages do not meet."""
    if not file.is_file():
        return
    missing = [told for line in _lines(file) if (told := _missing(line))]
    if missing:
        raise InvalidInput(
            f"The worker lacks packages that the job's code asks for: {'; '.join(missing)}.",
            next_step="Install them in the worker's environment or image: bundles bring modules, "
            "no packages.",
        )


def _lines(file: Path) -> Iterator[str]:
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        bare = line.split(" #")[0].strip()
        if bare and not bare.startswith("#"):
            yield bare


def _missing(line: str) -> str:
    try:
        wanted = Requirement(line)
    except InvalidRequirement:
        return f"{line[:100]!r} is no requirement that can be checked"
    if wanted.marker is not None and not wanted.marker.evaluate():
        return ""
    try:
        present = metadata.version(wanted.name)
    except metadata.PackageNotFoundError:
        return f"{wanted.name} is not there"
    fits = wanted.specifier.contains(present, prereleases=True)
    return "" if fits else f"{wanted} is asked for, {present} is there"
