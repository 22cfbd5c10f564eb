"""Which files are one asset: partitions of a folder, and names equal but for a date or number.

The rule. Files below folders named `key=value` (Hive) are one asset when the folders above, the
keys, and what remains of their names without dates and numbers are the same. Other files are one
asset when their paths are the same but for dates and numbers, in the file's name or in folders that
are nothing else, there are at least `LEAST` of them, and most of them share columns (`family`).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote

from activities.connectors.files.compression import data_suffix

LEAST = 3
"""Files that make a set when no folder says so."""

NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"
"""What Hive and Spark write for a null."""

_HIVE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)")
_VARIABLES = (
    re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"),
    re.compile(r"(?<![A-Za-z0-9])(?=[a-f]*[0-9])[0-9a-f]{16,}(?![A-Za-z0-9])"),
    re.compile(r"[0-9]+(?:[-_.T:][0-9]+)*"),
)
"""What may differ in the names of one set: a UUID, a long hexadecimal number, a date or number."""


@dataclass(frozen=True)
class Pattern:
    """What the paths of a set share."""

    name: str
    """The path with `*` for what differs: `sales/year=*/part-*.parquet`."""
    keys: tuple[str, ...] = ()
    """Partition columns, from the outer folder to the inner."""


def pattern(path: str) -> Pattern | None:
    """Return what a file's path may share with others, None for a name that says nothing."""
    *folders, file = path.split("/")
    keys: list[str] = []
    made: list[str] = []
    for folder in folders:
        hive = _HIVE.fullmatch(folder)
        if hive and hive[1] not in keys:
            keys.append(hive[1])
        made.append(f"{hive[1]}=*" if hive else _folder(folder))
    made.append(_starred(file))
    name = "/".join(made)
    return Pattern(name, tuple(keys)) if name != path else None


def values(path: str) -> dict[str, str | None]:
    """Return the partition values that a path tells."""
    found: dict[str, str | None] = {}
    for folder in path.split("/")[:-1]:
        if hive := _HIVE.fullmatch(folder):
            text = unquote(hive[2])
            found.setdefault(hive[1], None if text == NULL_PARTITION else text)
    return found


def title(name: str) -> str:
    """Return a file's or set's own name: without folders, ending, and what differs."""
    *folders, file = name.split("/")
    if suffix := data_suffix(file):
        file = file[: file.lower().rindex(suffix)]
    for part in (file, *reversed(folders)):
        own = part.replace("*", "").strip(" _-.")
        if own and "=*" not in part and not (folders and own in _PART_WORDS and "*" in part):
            return own
    return file


_PART_WORDS = frozenset({"part", "data", "file", "chunk", "block", "c"})
"""Names that say nothing about a set's content, where a folder says more."""


def _folder(name: str) -> str:
    return "*" if _VARIABLES[-1].fullmatch(name) else name


def _starred(file: str) -> str:
    suffix = data_suffix(file)
    end = file.lower().rindex(suffix) if suffix else len(file)
    stem = file[:end]
    for variable in _VARIABLES:
        stem = variable.sub("*", stem)
    return re.sub(r"\*(?:[-_.]?\*)+", "*", stem) + file[end:]


@dataclass
class Schema:
    """One form that the files of a set have."""

    columns: Mapping[str, str]
    """Types by name."""
    parts: list[int] = field(default_factory=list)
    """Places of the files that have it, as they were looked at."""


def family(schemas: Sequence[Schema]) -> set[int]:
    """Return the files, by place, that are alike: they have half of their columns in common.

    The largest such group counts, and only when it is more than half of the files.
    """
    best: set[int] = set()
    for centre in schemas:
        alike = {n for s in schemas if _overlap(centre.columns, s.columns) >= 0.5 for n in s.parts}
        best = max(best, alike, key=len)
    return best if len(best) * 2 > sum(len(s.parts) for s in schemas) else set()


def _overlap(one: Iterable[str], other: Iterable[str]) -> float:
    first, second = set(one), set(other)
    return len(first & second) / len(first | second) if first | second else 1.0
