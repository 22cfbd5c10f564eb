"""Reads a text file in bounded blocks of whole lines."""

import io
import re
from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

BLOCK = 1 << 20
"""Bytes read at a time."""

_PROBE, _PROBES = 64 << 10, 100
"""Bytes and number of the blocks that an estimate of lines is counted in."""

LONGEST = 16 << 20
"""Bytes a single line, or a quoted cell over several, may have."""

TOO_LONG = f"lines over {LONGEST >> 20} MB, left out"
WRONGLY_ENCODED = "lines of another encoding than the file's"


class Block(NamedTuple):
    data: bytes
    taken: int
    """Bytes of the file that it ends after, counted from the end of the block before."""


def blocks(
    stream: BinaryIO, newline: bytes, irregular: Counter[str], quote: bytes | None = None
) -> Iterator[Block]:
    """Yield blocks of whole lines; with `quote`, none ends inside a quoted cell.

    An odd number of quotes means that a cell goes on in the next line. A stray quote would join
    all that follows, so after LONGEST bytes the block is given as it is. A line over LONGEST is
    left out and counted in `irregular`.
    """
    rest = b""
    while data := stream.read(BLOCK):
        rest += data
        end = _line_end(rest, newline)
        if not end:
            if len(rest) > LONGEST:
                passed, rest = _past_line(stream, rest, newline)
                irregular[TOO_LONG] += 1
                yield Block(b"", passed)
            continue
        if quote and rest.count(quote, 0, end) % 2 and len(rest) < LONGEST:
            continue
        yield Block(rest[:end], end)
        rest = rest[end:]
    if rest:
        yield Block(rest, len(rest))


def _line_end(data: bytes, newline: bytes) -> int:
    """Return where the last whole line ends; a wide encoding's newline begins at a whole unit."""
    width, end = len(newline), data.rfind(newline)
    while end >= 0 and end % width:
        end = data.rfind(newline, 0, end + width - 1)
    return end + width if end >= 0 else 0


def _past_line(stream: BinaryIO, rest: bytes, newline: bytes) -> tuple[int, bytes]:
    """Read to the end of an endless line; return the bytes passed over and what follows it."""
    passed = 0
    while True:
        whole = len(rest) - len(rest) % len(newline)
        passed, rest = passed + whole, rest[whole:]
        data = stream.read(BLOCK)
        if not data:
            return passed + len(rest), b""
        rest += data
        first = rest.find(newline)
        while first >= 0 and first % len(newline):
            first = rest.find(newline, first + 1)
        if first >= 0:
            end = first + len(newline)
            return passed + end, rest[end:]


def decode(block: bytes, encoding: str, irregular: Counter[str]) -> str:
    """Return a block's text; lines that are not UTF-8 where it is are read as Windows-1252."""
    try:
        return block.decode(encoding)
    except UnicodeDecodeError:
        if encoding != "utf-8":
            irregular[WRONGLY_ENCODED] += 1
            return block.decode(encoding, "replace")
        lines = re.split(rb"(?<=\n)", block)
        return "".join(_line(line, irregular) for line in lines)


def _line(line: bytes, irregular: Counter[str]) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        irregular[WRONGLY_ENCODED] += 1
        return line.decode("cp1252", "replace")


def estimated_lines(stream: BinaryIO, size: int) -> int:
    """Return about how many lines a file has, counted in blocks spread over it."""
    step = max(_PROBE, size // _PROBES)
    if not size:
        return 0
    seen = lines = 0
    for start in range(0, size, step):
        stream.seek(start)
        block = stream.read(_PROBE)
        seen, lines = seen + len(block), lines + block.count(b"\n")
    stream.seek(size - 1)
    unended = stream.read(1) != b"\n"
    return round(lines * size / seen) + unended


def lines_of(text: str) -> io.StringIO:
    """Return a text as lines that end where the file's do: not at every Unicode line separator."""
    return io.StringIO(text, newline="")
