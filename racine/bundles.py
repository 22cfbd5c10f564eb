"""Bundles: the Python of a job as one archive that its content names.

A bundle is a ZIP of one exact form: files alone, in the order of their names, uncompressed, with
the same time and rights. So the same files give the same bytes everywhere, and a bundle can be
checked by making it again.
"""

import hashlib
import io
import re
import zipfile
from collections.abc import Mapping
from pathlib import PurePosixPath

from racine.errors import InvalidInput

MAX_BYTES = 8 * 1024 * 1024
MAX_FILES = 2_000
_MAX_NAME = 240
_FIRST_DAY = (1980, 1, 1, 0, 0, 0)
"""The earliest moment that a ZIP can hold."""
_UNIX = 3
_READABLE = 0o100644 << 16
_PART = re.compile(r"[^\x00-\x1f\x7f/\\:]+")


def pack(files: Mapping[str, bytes]) -> bytes:
    """Return the bundle of these files, by relative POSIX path; raise InvalidInput for bad ones."""
    _check_names(files)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _FIRST_DAY)
            entry.create_system, entry.external_attr = _UNIX, _READABLE
            archive.writestr(entry, files[name])
    content = made.getvalue()
    if len(content) > MAX_BYTES:
        raise InvalidInput(
            f"The bundle has {len(content)} bytes; at most {MAX_BYTES} are taken.",
            next_step="Keep data out of the folder: read it from where it lies.",
        )
    return content


def unpack(content: bytes) -> dict[str, bytes]:
    """Return the files of a bundle; raise InvalidInput for whatever `pack` did not make."""
    files = _read(content)
    if files is None or pack(files) != content:
        raise InvalidInput(
            "This is no bundle of Racine's form.", next_step="`racine deploy DIR` makes them."
        )
    return files


def digest(content: bytes) -> str:
    """Return the name of a bundle: the SHA-256 of its bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def modules(files: Mapping[str, bytes]) -> frozenset[str]:
    """Return the dotted names of the Python modules among files."""
    paths = (PurePosixPath(name) for name in files if name.endswith(".py"))
    return frozenset(
        ".".join(path.parent.parts if path.name == "__init__.py" else path.with_suffix("").parts)
        for path in paths
    )


def _read(content: bytes) -> dict[str, bytes] | None:
    if len(content) > MAX_BYTES:
        return None
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            # Uncompressed alone: so no archive is larger inside than outside.
            stored = all(e.compress_type == zipfile.ZIP_STORED for e in entries)
            if not stored or len(entries) > MAX_FILES:
                return None
            return {entry.filename: archive.read(entry) for entry in entries}
    except (zipfile.BadZipFile, ValueError, EOFError, NotImplementedError, RuntimeError, OSError):
        return None


def _check_names(files: Mapping[str, bytes]) -> None:
    if not files:
        raise InvalidInput("There is no file to pack.")
    if len(files) > MAX_FILES:
        raise InvalidInput(
            f"The bundle has {len(files)} files; at most {MAX_FILES} are taken.",
            next_step="Deploy the folder of one job, not of all.",
        )
    folders = {str(parent) for name in files for parent in PurePosixPath(name).parents}
    for name in files:
        parts = name.split("/")
        sound = all(_PART.fullmatch(part) and part not in (".", "..") for part in parts)
        if not sound or len(name.encode()) > _MAX_NAME or name in folders:
            raise InvalidInput(
                f"{name[:100]!r} cannot be the name of a file in a bundle.",
                next_step="Use short relative names without control characters, `\\` or `:`.",
            )
