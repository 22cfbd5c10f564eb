"""Opens data files, compressed or not, and stops at decompression bombs."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from racine.errors import SourceFault

_RATIO = 200
"""Times that data may shrink: text does 3 to 20, repetition alone up to gzip's limit of 1,032."""

_HARMLESS = 256 << 20
"""Bytes that any file may grow to."""


def is_compressed(path: Path) -> bool:
    return path.suffix.lower() == ".gz"


def data_suffix(path: Path) -> str:
    """Return what the name says of the content: `.csv` of `a.csv.gz`."""
    return Path(path.stem).suffix.lower() if is_compressed(path) else path.suffix.lower()


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading, decompressed; a broken archive raises SourceFault."""
    if not is_compressed(path):
        with path.open("rb") as plain:
            yield plain
        return
    try:
        with gzip.open(path, "rb") as stream:
            yield cast(BinaryIO, _Bounded(stream, path))
    except (gzip.BadGzipFile, EOFError, zlib.error) as fault:
        raise SourceFault(
            f"{path.name} is not a whole gzip file: {fault}.",
            next_step="Write the file anew; it may have been cut off.",
        ) from None


class _Bounded:
    """A decompressing stream that ends with an error when it grows beyond belief."""

    def __init__(self, stream: gzip.GzipFile, path: Path) -> None:
        self._stream = stream
        self._most = max(_HARMLESS, path.stat().st_size * _RATIO)

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        if self._stream.tell() > self._most:
            raise SourceFault(
                f"The file grows to more than {_RATIO} times its size when it is decompressed.",
                next_step="Check where it comes from; decompress it yourself if it is right.",
            )
        return data

    def seek(self, position: int) -> int:
        return self._stream.seek(position)
