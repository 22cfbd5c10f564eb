"""Makes assets of a store's files: one a file, or one a set of files."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from typing import Any

from activities.connectors.files import sets
from activities.connectors.files.formats import format_of
from activities.connectors.files.store import Entry, File, Store
from activities.connectors.protocol import Asset, Column
from racine.errors import SourceFault

_LOOKED_AT = 1000
"""Files of a set whose schema is looked at: the first and last of all, and others evenly."""

_DESCRIBED = 100
"""Files of a set that are described in full, each for the first line or footer it alone has."""

_SCHEMAS_KEPT = 200


def assets(
    store: Store, entries: Iterable[Entry], listed: Mapping[str, Asset] | None = None
) -> list[Asset]:
    """Return the assets that files make, by name.

    A file or set that is as it was `listed` before is not opened.
    """
    listed = listed or {}
    groups: dict[sets.Pattern, list[Entry]] = {}
    plain: list[Entry] = []
    for entry in entries:
        shared = None if entry.error else sets.pattern(entry.name)
        (plain if shared is None else groups.setdefault(shared, [])).append(entry)
    made: list[Asset] = []
    for shared, found in groups.items():
        found.sort(key=lambda entry: entry.name)
        asset, rest = _set_again(shared, found, listed) or _as_set(store, shared, found)
        made += [asset] if asset else []
        plain += rest
    made += [_again(entry, listed) or single(File(store, entry)) for entry in plain]
    return sorted(made, key=lambda asset: asset.name)


def single(file: File) -> Asset:
    """Return a file as an asset; one that cannot be read keeps its reason."""
    entry, error = file.entry, file.entry.error
    columns: tuple[Column, ...] = ()
    details: dict[str, Any] = {}
    if not error:
        try:
            columns, details = format_of(file.name).describe(file)
        except SourceFault as fault:
            error = fault.message
    return Asset(
        entry.name, "file", columns, details | _types(columns), details.get("rows"),
        entry.fingerprint, error, entry.bytes, entry.modified,
    )  # fmt: skip


def _types(columns: Sequence[Column]) -> dict[str, Any]:
    """Return the columns' types as they were listed: a scan stores what it finds in their place."""
    types = [column.type for column in columns]
    return {"types": types[0] if len(set(types)) == 1 else types, "judged_by": _code()}


@cache
def _code() -> str:
    """Return a digest of the code that lists files: what another release said does not stand."""
    digest = hashlib.sha256()
    for file in sorted(resources.files(__package__).iterdir(), key=lambda file: file.name):
        if file.name.endswith(".py"):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def listed_before(
    name: str, fingerprint: str, details: Mapping[str, Any], modified: str | None,
    columns: Sequence[str],
) -> Asset | None:  # fmt: skip
    """Return a file or set as its last listing had it, None where that did not say all."""
    types = details.get("types")
    if not fingerprint or types is None or details.get("judged_by") != _code():
        return None
    each = [types] * len(columns) if isinstance(types, str) else types
    if len(each) != len(columns):
        return None
    pairs = zip(columns, each, strict=True)
    return Asset(
        name, "file", tuple(Column(*pair) for pair in pairs), dict(details), details.get("rows"),
        fingerprint, modified=modified,
    )  # fmt: skip


def _again(entry: Entry, listed: Mapping[str, Asset]) -> Asset | None:
    """Return a file as it was listed before, None for one that is new or changed."""
    last = listed.get(entry.name)
    if last is None or entry.error or entry.fingerprint != last.fingerprint:
        return None
    return replace(last, bytes=entry.bytes, modified=entry.modified)


def _set_again(
    shared: sets.Pattern, entries: list[Entry], listed: Mapping[str, Asset]
) -> tuple[Asset, list[Entry]] | None:
    """Return what `_as_set` does where each file is as it was listed before, else None."""
    last = listed.get(shared.name)
    members = {part.name: part.fingerprint for part in last.parts} if last else {}
    if last is None or not members:
        return None
    inside = [entry for entry in entries if entry.name in members]
    rest = [entry for entry in entries if entry.name not in members]
    same = all(entry.fingerprint == members[entry.name] != "" for entry in inside)
    if len(inside) < len(members) or not same or not all(_again(e, listed) for e in rest):
        return None
    return replace(last, bytes=sum(entry.bytes for entry in inside)), rest


@dataclass
class _Looked:
    """What the files of a set turned out to hold."""

    entries: list[Entry]
    schemas: list[sets.Schema] = field(default_factory=list)
    broken: dict[int, str] = field(default_factory=dict)
    nameless: bool = False
    """Whether a file has no header: then nothing says that its columns are another's."""


def _as_set(
    store: Store, shared: sets.Pattern, entries: list[Entry]
) -> tuple[Asset | None, list[Entry]]:
    """Return the set, where the files are one, and the files that are none of it."""
    if not shared.keys and len(entries) < sets.LEAST:
        return None, entries
    looked = _look(store, entries)
    if not looked.schemas:
        return None, entries
    strangers: set[str] = set()
    if not shared.keys:
        alike = sets.family(looked.schemas)
        if looked.nameless or len(alike) < sets.LEAST:
            return None, entries
        looked.schemas = [s for s in looked.schemas if alike.issuperset(s.parts)]
        strangers = {
            entry.name for n, entry in enumerate(looked.entries)
            if n not in alike and n not in looked.broken
        }  # fmt: skip
    members = [entry for entry in entries if entry.name not in strangers]
    asset = _asset(shared, members, looked)
    return asset, [entry for entry in entries if entry.name in strangers]


def _look(store: Store, entries: list[Entry]) -> _Looked:
    looked = _Looked(_spread(entries))
    known: dict[str, sets.Schema] = {}
    schemas: dict[tuple[tuple[str, str], ...], sets.Schema] = {}
    for place, entry in enumerate(looked.entries):
        file = File(store, entry)
        format_ = format_of(entry.name)
        try:
            signature = format_.signature(file)
            if signature not in known and len(known) < _DESCRIBED:
                columns, details = format_.describe(file)
                looked.nameless |= not details.get("dialect", {}).get("header", True)
                form = tuple((column.name, column.type) for column in columns)
                known[signature] = schemas.setdefault(form, sets.Schema(dict(form)))
            known.get(signature, next(iter(schemas.values()))).parts.append(place)
        except SourceFault as fault:
            looked.broken[place] = fault.message
    looked.schemas = list(schemas.values())
    return looked


def _spread(entries: list[Entry]) -> list[Entry]:
    if len(entries) <= _LOOKED_AT:
        return entries
    ends = {min(entries, key=_age).name, max(entries, key=_age).name}
    step = (len(entries) - 1) / (_LOOKED_AT - 1)
    places = {round(n * step) for n in range(_LOOKED_AT)}
    return [entry for n, entry in enumerate(entries) if n in places or entry.name in ends]


def _age(entry: Entry) -> str:
    return entry.modified or ""


def _asset(shared: sets.Pattern, entries: Sequence[Entry], looked: _Looked) -> Asset:
    columns: dict[str, str] = {}
    for schema in sorted(looked.schemas, key=lambda s: -len(s.parts)):
        columns = {**columns, **{n: t for n, t in schema.columns.items() if n not in columns}}
    keys = [key for key in shared.keys if key not in columns]
    values = {key: Counter(sets.values(e.name).get(key) for e in entries) for key in keys}
    details = {
        "parts": [[e.name, e.fingerprint, e.bytes, e.modified] for e in entries],
        "schemas": list(_told(looked)),
        "partitions": {key: len(found) for key, found in values.items()},
    }
    columns |= dict.fromkeys(keys, "partition")
    made = tuple(Column(*column) for column in columns.items())
    marks = "\n".join(f"{e.name!r} {e.fingerprint}" for e in entries)
    return Asset(
        shared.name, "file", made, details | _types(made), None,
        hashlib.sha256(marks.encode()).hexdigest()[:32], None,
        sum(e.bytes for e in entries), max(map(_age, entries)) or None,
    )  # fmt: skip


def _told(looked: _Looked) -> Iterator[dict[str, Any]]:
    """Yield each distinct schema with the files that have it, the newest last."""
    found = [
        (sorted(map(looked.entries.__getitem__, s.parts), key=_age), s) for s in looked.schemas
    ]
    found.sort(key=lambda pair: _age(pair[0][-1]))
    for entries, schema in found[-_SCHEMAS_KEPT:]:
        yield {
            "columns": dict(schema.columns), "parts": len(entries),
            "first": entries[0].name, "first_seen": entries[0].modified,
            "last": entries[-1].name, "last_seen": entries[-1].modified,
        }  # fmt: skip
