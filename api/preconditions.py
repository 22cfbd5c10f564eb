"""`ETag` and `If-Match`: a change says which version it was made from (RFC 9110, 13.1.1)."""

from typing import Annotated

from fastapi import Depends, Header

from racine.errors import InvalidInput, PreconditionRequired


def etag(version: int) -> str:
    """Return the strong validator of an object's version."""
    return f'"{version}"'


def expected_version(if_match: Annotated[str | None, Header()] = None) -> int:
    """Return the version that the caller has read; raise PreconditionRequired without it."""
    if if_match is None:
        raise PreconditionRequired(
            "Say which version you change.",
            next_step="Read the object and send its ETag as If-Match.",
        )
    value = if_match.strip().strip('"')
    if not value.isdecimal():
        raise InvalidInput("If-Match holds no ETag of this object.", next_step='It looks like "3".')
    return int(value)


ExpectedVersion = Annotated[int, Depends(expected_version)]
