"""A bucket of an S3-compatible store, below a prefix."""

import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import urllib3
from minio import Minio
from minio.datatypes import Object
from minio.error import MinioException

from activities.connectors.boundary import Boundary
from activities.connectors.files.bucket_faults import as_fault
from activities.connectors.files.formats import is_data
from activities.connectors.files.guarded import guarded_pool
from activities.connectors.files.store import Entry
from racine.errors import InvalidInput, SourceFault, Unavailable
from racine.governance.data_sources.locations import Location

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_FIRST, _LARGEST = 256 << 10, 8 << 20
"""Bytes of the first piece of an object that is asked for, and of the largest."""

_TRIES = 3


class BucketStore:
    """Objects are named by their key after the prefix; hidden ones are passed over."""

    def __init__(self, location: Location, boundary: Boundary) -> None:
        self._location = location
        self._key_alone = is_data(location.path)
        """Whether the location names one object rather than a folder of them."""
        parent, slash, _ = location.path.rpartition("/")
        folder = location.path.strip("/") + "/" if location.path.strip("/") else ""
        self._prefix = parent + slash if self._key_alone else folder
        self._bucket = location.database
        self._client = _client(location, boundary)
        self._stopped = threading.Event()
        self._known: dict[str, Entry] = {}
        self._engine: DuckDBPyConnection | None = None
        self._fault: SourceFault | Unavailable | None = None

    def find(self) -> str:
        found = next(iter(self._list()), None)
        if found is None:
            raise SourceFault(
                f"Nothing is at {self._location}.", next_step="Check the bucket and the prefix."
            )
        return f"a bucket at {self._location.endpoint}"

    def entries(self, errors: list[str]) -> Iterator[Entry]:
        for found in self._list():
            name = self._name(found)
            hidden = any(part.startswith((".", "_")) for part in name.split("/"))
            if not found.is_dir and not hidden and is_data(name):
                yield self._keep(found)

    def entry(self, name: str) -> Entry:
        if name not in self._known:
            # A HEAD would be the nearer question, but its refusals do not say why.
            with self._faults(name, reading=True):
                key = self._key(name)
                found = self._client.list_objects(self._bucket, prefix=key, recursive=True)
                first = next(iter(found), None)
            if first is None or first.object_name != key:
                raise SourceFault(f"{name} is gone.", next_step="Discover the source again.")
            self._keep(first)
        return self._known[name]

    def open(self, entry: Entry) -> BinaryIO:
        return cast(BinaryIO, io.BufferedReader(_Pieces(self, entry), 64 << 10))

    @contextmanager
    def engine(self, name: str) -> Iterator["tuple[DuckDBPyConnection, str]"]:
        from activities.connectors import duckdb_engine  # slow to load, and CSV needs none
        from activities.connectors.files.mounted import PREFIX, Mounted

        mounted = Mounted(self)
        if self._engine is None:
            self._engine = duckdb_engine.over_store(mounted, PREFIX)
        self._fault = None
        try:
            with self._engine.cursor() as cursor:
                yield cursor, mounted.path(name)
        except SourceFault:
            # DuckDB tells a fault of the store in its own words, which do not say what to do.
            if self._fault is not None:
                raise self._fault from None
            raise

    def piece(self, entry: Entry, start: int, size: int) -> bytes:
        """Return some bytes of an object, which must still be the one that was listed."""
        if self._stopped.is_set():
            raise SourceFault(f"The read of {entry.name} was cancelled.")
        with self._faults(entry.name, reading=True):
            for tried in range(_TRIES):
                try:
                    return self._fetch(entry, start, size)
                except urllib3.exceptions.HTTPError as fault:
                    # The pool itself has tried again where no answer came.
                    if isinstance(fault, urllib3.exceptions.MaxRetryError) or tried == _TRIES - 1:
                        raise
        raise AssertionError("unreachable")

    def cancel(self) -> None:
        self._stopped.set()
        if self._engine is not None:
            self._engine.interrupt()

    def close(self) -> None:
        if self._engine is not None:
            self._engine.close()
            self._engine = None

    def _fetch(self, entry: Entry, start: int, size: int) -> bytes:
        etag, _, _ = entry.fingerprint.partition("/")
        headers: dict[str, str | list[str] | tuple[str]] = {"If-Match": f'"{etag}"'}
        answer = self._client.get_object(
            self._bucket,
            self._key(entry.name),
            start,
            size,
            request_headers=headers if etag else None,
        )
        try:
            data = answer.read(size)
        finally:
            answer.close()
            answer.release_conn()
        if len(data) < min(size, entry.bytes - start):
            raise urllib3.exceptions.IncompleteRead(len(data), size)
        return data

    def _list(self) -> Iterator[Object]:
        with self._faults(""):
            only = self._location.path if self._key_alone else ""
            found = self._client.list_objects(
                self._bucket, prefix=only or self._prefix or None, recursive=True
            )
            yield from (o for o in found if not only or o.object_name == only)

    def _keep(self, found: Object) -> Entry:
        modified = found.last_modified.isoformat() if found.last_modified else None
        etag, size = (found.etag or "").strip('"'), found.size or 0
        entry = Entry(self._name(found), size, f"{etag}/{size}/{modified}", modified)
        self._known[entry.name] = entry
        return entry

    def _name(self, found: Object) -> str:
        return (found.object_name or "").removeprefix(self._prefix)

    def _key(self, name: str) -> str:
        return self._prefix + name

    @contextmanager
    def _faults(self, what: str, reading: bool = False) -> Iterator[None]:
        try:
            yield
        except (MinioException, urllib3.exceptions.HTTPError, ValueError, OSError) as fault:
            self._fault = as_fault(fault, self._location, what, reading)
            raise self._fault from None


class _Pieces(io.RawIOBase):
    """An object as a file: asked for in pieces that grow while it is read on."""

    def __init__(self, store: BucketStore, entry: Entry) -> None:
        self._store, self._entry = store, entry
        self._at, self._start, self._held, self._size = 0, 0, b"", _FIRST

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._entry.bytes}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        if self._at >= self._entry.bytes:
            return 0
        if not self._start <= self._at < self._start + len(self._held):
            on = self._held and self._at == self._start + len(self._held)
            self._size = min(self._size * 2, _LARGEST) if on else _FIRST
            left = self._entry.bytes - self._at
            self._held = b""
            self._held = self._store.piece(self._entry, self._at, min(self._size, left))
            self._start = self._at
        data = self._held[self._at - self._start :][: len(buffer)]
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def _client(at: Location, boundary: Boundary) -> Minio:
    key, secret, token = _credential(at)
    return Minio(
        at.endpoint.split("://", 1)[1].rstrip("/"), access_key=key or None,
        secret_key=secret or None, session_token=token or None,
        secure=at.endpoint.startswith("https:"), region=at.options.get("region", "us-east-1"),
        http_client=guarded_pool(boundary),
    )  # fmt: skip


def _credential(at: Location) -> tuple[str, str, str]:
    """Return key id, secret and session token; without a credential the store is asked as nobody.

    A credential is the secret of the key in the location, or a JSON object of all three parts as
    AWS names them.
    """
    if not at.password.lstrip().startswith("{"):
        if at.password and not at.user:
            raise InvalidInput(
                "The bucket's credential has no key id.",
                next_step="Write it in the location, s3://KEY_ID@bucket, or make the credential"
                ' a JSON object of "access_key_id" and "secret_access_key".',
            )
        return (at.user, at.password, "") if at.password else ("", "", "")
    try:
        parts = {key.lower().replace("_", ""): v for key, v in json.loads(at.password).items()}
        return parts["accesskeyid"], parts["secretaccesskey"], parts.get("sessiontoken") or ""
    except (ValueError, KeyError, AttributeError):
        raise InvalidInput(
            "The bucket's credential is no JSON object of access_key_id and secret_access_key.",
            next_step="Write it so, with session_token for temporary ones.",
        ) from None
