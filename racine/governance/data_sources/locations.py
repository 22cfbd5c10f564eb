"""Where a source is: its kind, and the parts of its URL or path."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, get_args
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from racine.errors import InvalidInput

Kind = Literal["sqlite", "postgresql", "mysql", "duckdb", "files", "s3"]
KINDS: tuple[str, ...] = get_args(Kind)

_SCHEMES: dict[str, Kind] = {
    "sqlite": "sqlite",
    "duckdb": "duckdb",
    "file": "files",
    "postgres": "postgresql",
    "postgresql": "postgresql",
    "postgresql+psycopg": "postgresql",
    "mysql": "mysql",
    "mariadb": "mysql",
    "s3": "s3",
}
_PORTS = {"postgresql": 5432, "mysql": 3306}
"""The kinds that are servers, and where each listens."""

_AWS = "https://s3.{region}.amazonaws.com"
_S3_OPTIONS = frozenset({"endpoint", "region"})
_REGION = re.compile(r"[a-z0-9-]{1,40}")
_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<rest>.*)", re.DOTALL)
_SECRET_OPTION = re.compile(r"passw(or)?d|secret|token|passfile|sslkey", re.IGNORECASE)


@dataclass(frozen=True)
class Location:
    """The parts of a source's address.

    A file kind has only `path`, a server kind the others. A bucket has its name for `database`, the
    prefix for `path`, the access key's id for `user`, its secret for `password`, and the host and
    port of its endpoint.
    """

    kind: Kind
    path: str = ""
    host: str = ""
    port: int = 0
    user: str = ""
    password: str = field(default="", repr=False)
    database: str = ""
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_server(self) -> bool:
        return bool(self.host)

    @property
    def endpoint(self) -> str:
        """The URL that a bucket is reached at."""
        region = self.options.get("region", "us-east-1")
        return self.options.get("endpoint") or _AWS.format(region=region)

    def with_password(self, password: str) -> "Location":
        return replace(self, password=password)

    def __str__(self) -> str:
        """Return the address without its password: fit for logs, errors and reports."""
        user = f"{quote(self.user, safe='')}@" if self.user else ""
        if self.kind == "s3":
            at = f"?{urlencode(self.options)}" if self.options else ""
            return f"s3://{user}{self.database}/{quote(self.path)}{at}"
        if not self.is_server:
            return self.path
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.kind}://{user}{host}:{self.port}/{quote(self.database, safe='')}"


def parse(location: str, kind: str | None = None) -> Location:
    """Return the parts of a URL or a path; raise InvalidInput for what no connector serves.

    A path needs its `kind` told, unless it is a folder or data file (`files`).
    """
    if kind is not None and kind not in KINDS:
        raise InvalidInput(
            f"There is no source kind {kind!r}.", next_step=f"Choose one of: {', '.join(KINDS)}."
        )
    if not location or "\0" in location:
        raise InvalidInput("The location is empty or holds a NUL character.")
    url = _URL.fullmatch(location)
    found = _from_url(url["scheme"].lower(), location) if url else Location("files", path=location)
    if kind is None or kind == found.kind:
        return found
    if found.kind == "files" and kind not in (*_PORTS, "s3"):
        return replace(found, kind=_SCHEMES[kind])
    raise InvalidInput(
        f"A source of kind {kind} cannot be at {found}.",
        next_step=_example(kind),
    )


def refuse_password(location: Location) -> None:
    """Raise InvalidInput when a location that will be stored holds a secret."""
    named = next((name for name in location.options if _SECRET_OPTION.search(name)), None)
    if location.password or named:
        raise InvalidInput(
            f"The location holds a {named or 'password'}, which would be stored in the clear.",
            next_step="Leave it out of the URL and give it by reference in `credential`:"
            " env:NAME, file:/path or secret:NAME (PUT /api/data-sources/secrets/NAME).",
        )


def _from_url(scheme: str, location: str) -> Location:
    kind = _SCHEMES.get(scheme)
    if kind is None:
        raise InvalidInput(
            f"There is no connector for {scheme}:// locations.",
            next_step=f"Use one of: {', '.join(f'{name}://' for name in _SCHEMES)} or a path.",
        )
    if kind == "s3":
        return _bucket(location)
    if kind not in _PORTS:
        return Location(kind, path=_path(scheme, location))
    try:
        parts = urlsplit(location)
        port = parts.port or _PORTS[kind]
    except ValueError as fault:
        # The text of the fault can hold the part after the colon: the password of a faulty URL.
        del fault
        raise InvalidInput(
            f"The {scheme}:// URL cannot be read.",
            next_step=f"{_example(kind)} Percent-encode special characters.",
        ) from None
    return Location(
        kind,
        host=parts.hostname or "localhost",
        port=port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        database=unquote(parts.path.lstrip("/")),
        options=dict(parse_qsl(parts.query)),
    )


def _bucket(location: str) -> Location:
    """Return the parts of `s3://[KEY_ID@]BUCKET[/PREFIX][?endpoint=URL&region=NAME]`."""
    try:
        parts = urlsplit(location)
        options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
        found = Location(
            "s3", path=unquote(parts.path.lstrip("/")), user=unquote(parts.username or ""),
            password=unquote(parts.password or ""), database=parts.netloc.rpartition("@")[2],
            options=options,
        )  # fmt: skip
        endpoint = urlsplit(found.endpoint)
        port = endpoint.port or (443 if endpoint.scheme == "https" else 80)
    except ValueError:
        raise InvalidInput("The s3:// URL cannot be read.", next_step=_example("s3")) from None
    unknown = sorted(options.keys() - _S3_OPTIONS)
    sound = endpoint.scheme in ("http", "https") and endpoint.hostname and not endpoint.username
    if unknown or not found.database or not sound or endpoint.path.strip("/"):
        what = f"does not know {unknown[0]!r}" if unknown else "lacks a bucket or a sound endpoint"
        raise InvalidInput(f"The s3:// URL {what}.", next_step=_example("s3"))
    if not _REGION.fullmatch(options.get("region", "us-east-1")):
        raise InvalidInput("The region of the s3:// URL is none.", next_step=_example("s3"))
    return replace(found, host=endpoint.hostname or "", port=port)


def _path(scheme: str, location: str) -> str:
    """Return the path of `sqlite:///relative`, `sqlite:////absolute` or `file:///absolute`."""
    rest = location.split("://", 1)[1]
    if scheme == "file":
        return unquote("/" + rest.split("/", 1)[1] if "/" in rest else rest)
    return unquote(rest.split("?", 1)[0].removeprefix("/"))


def _example(kind: str) -> str:
    if kind == "s3":
        return "Write it as s3://KEY_ID@bucket/prefix?endpoint=https://host&region=name."
    if kind in _PORTS:
        return f"Write it as {kind}://user@host:{_PORTS[kind]}/database."
    return "Give the path of the file or folder."
