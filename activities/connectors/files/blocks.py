"""Reads a text file in bounded blocks of whole lines, each with the byte offset where it ends."""

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from racine.errors import SourceFault

BLOCK = 1 << 20
"""Bytes read at a time."""

_PROBE, _PROBES = 64 << 10, 100
"""Bytes and number of the blocks that an estimate of lines is counted in."""

LONGEST = 16 << 20
"""Bytes a single line, or a quoted cell over several, may have."""


def blocks(stream: BinaryIO, newline: bytes, quote: bytes | None = None) -> Iterator[bytes]:
    """Yield blocks of whole lines; with `quote`, none ends inside a quoted cell.

    An odd number of quotes means that a cell goes on in the next line. A stray quote would join
    all that follows, so after LONGEST bytes the block is given as it is. Raises SourceFault for a
    line over LONGEST, which is skipped by nobody: the file is not what it claims to be.
    """
    rest = b""
    while data := stream.read(BLOCK):
        rest += data
        end = rest.rfind(newline) + len(newline)
        if end < len(newline):
            if len(rest) > LONGEST:
                raise SourceFault(
                    f"A line is longer than {LONGEST >> 20} MB.",
                    next_step="Check that the file is text with one record a line.",
                )
            continue
        if quote and rest.count(quote, 0, end) % 2 and len(rest) < LONGEST:
            continue
        yield rest[:end]
        rest = rest[end:]
    if rest:
        yield rest


def decode(block: bytes, encoding: str) -> str:
    """Return a block's text; lines that are not of its encoding are read as Windows-1252."""
    try:
        return block.decode(encoding)
    except UnicodeDecodeError:
        lines = re.split(rb"(?<=\n)", block)
        return "".join(_line(line, encoding) for line in lines)


def _line(line: bytes, encoding: str) -> str:
    try:
        return line.decode(encoding)
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace")


def estimated_lines(path: Path) -> int:
    """Return about how many lines a file has, counted in blocks spread over it."""
    size = path.stat().st_size
    step = max(_PROBE, size // _PROBES)
    seen = lines = 0
    with path.open("rb") as stream:
        for start in range(0, size, step):
            stream.seek(start)
            block = stream.read(_PROBE)
            seen, lines = seen + len(block), lines + block.count(b"\n")
    return round(lines * size / seen) if seen else 0


def lines_of(text: str) -> io.StringIO:
    """Return a text as lines that end where the file's do: not at every Unicode line separator."""
    return io.StringIO(text, newline="")
