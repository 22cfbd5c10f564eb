"""Decompresses data files while they are read, and stops at decompression bombs."""

import gzip
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import BinaryIO, cast

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

from racine.errors import SourceFault

SUFFIXES = {".gz": "gzip", ".zst": "zstd", ".zstd": "zstd"}
"""What a name's last ending says of how a file is compressed."""

_RATIO = 200
"""Times that data may shrink: text does 3 to 20, repetition alone up to gzip's limit of 1,032."""

_HARMLESS = 256 << 20
"""Bytes that any file may grow to."""

_WINDOW: dict[int, int] = {zstd.DecompressionParameter.window_log_max: 27}
"""Bytes that zstd may look back over, as a power of two: 128 MB, the format's advised limit."""


def is_compressed(name: str) -> bool:
    return _ending(name) in SUFFIXES


def data_suffix(name: str) -> str:
    """Return what the name says of the content: `.csv` of `a.csv.gz`."""
    ending = _ending(name)
    return _ending(name[: -len(ending)]) if ending in SUFFIXES else ending


def _ending(name: str) -> str:
    # As PurePosixPath.suffix has it, which costs twenty times as much for each of a million files.
    file = name.rpartition("/")[2]
    dot = file.rfind(".")
    return file[dot:].lower() if 0 < dot < len(file) - 1 else ""


@contextmanager
def expanded(stream: BinaryIO, name: str, size: int) -> Iterator[BinaryIO]:
    """Decompress a stream of `size` bytes as its name says; raise SourceFault where it breaks."""
    kind = SUFFIXES.get(_ending(name))
    if kind is None:
        yield stream
        return
    inner: BinaryIO = (
        cast(BinaryIO, gzip.GzipFile(fileobj=stream, mode="rb"))
        if kind == "gzip"
        else cast(BinaryIO, zstd.ZstdFile(stream, mode="rb", options=_WINDOW))
    )
    try:
        with inner:
            yield cast(BinaryIO, _Bounded(inner, size))
    except (gzip.BadGzipFile, EOFError, zlib.error, zstd.ZstdError) as fault:
        raise SourceFault(
            f"{PurePosixPath(name).name} is not a whole {kind} file: {fault}.",
            next_step="Write the file anew; it may have been cut off.",
        ) from None


class _Bounded:
    """A decompressing stream that ends with an error when it grows beyond belief."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream = stream
        self._most = max(_HARMLESS, size * _RATIO)

    def read(self, size: int = -1) -> bytes:
        return self._checked(self._stream.read(size))

    def readline(self, size: int = -1) -> bytes:
        return self._checked(self._stream.readline(size))

    def seek(self, position: int) -> int:
        return self._stream.seek(position)

    def _checked(self, data: bytes) -> bytes:
        if self._stream.tell() > self._most:
            raise SourceFault(
                f"The file grows to more than {_RATIO} times its size when it is decompressed.",
                next_step="Check where it comes from; decompress it yourself if it is right.",
            )
        return data
