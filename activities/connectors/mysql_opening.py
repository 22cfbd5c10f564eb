"""Opens connections to MySQL and MariaDB."""

import socket
import ssl
import struct
from typing import Any

from pymysql.connections import Connection
from pymysql.cursors import SSCursor

from activities.connectors.boundary import Boundary
from racine.errors import SourceFault
from racine.governance.data_sources.locations import Location

CONNECT_SECONDS = 10

BROKEN_TALK = (struct.error, IndexError, AssertionError, UnicodeDecodeError, KeyError, TypeError)
"""What the driver raises at a server that does not speak its protocol."""


def connected(
    at: Location,
    boundary: Boundary,
    *,
    silence_seconds: float,
    patience: float = CONNECT_SECONDS,
    **settings: Any,
) -> "Connection[Any]":
    """Return a connection whose texts are utf8mb4 both ways; raises what the driver raises.

    `patience` is how long it may take to be reached, `silence_seconds` how long it may say nothing.
    """
    address = (boundary.resolve(at.host, at.port), at.port)
    connection = Connection(
        host=at.host, port=at.port, user=at.user or None, password=at.password.encode(),
        database=at.database or None, charset="utf8mb4", read_timeout=silence_seconds,
        write_timeout=CONNECT_SECONDS, local_infile=False, program_name="racine",
        defer_connect=True, **_tls(at), **settings,
    )  # fmt: skip
    # The address that was checked is used, not the name, which may lead elsewhere by now.
    connection.connect(_greeted(socket.create_connection(address, patience)))
    return connection


def abandon(cursor: SSCursor) -> None:
    """Let neither the cursor nor its result read what is left when they are collected."""
    result = vars(cursor).get("_result")
    if result is not None:
        result.unbuffered_active, result.connection = False, None
    cursor.connection = None  # type: ignore[assignment]


def _greeted(stream: socket.socket) -> socket.socket:
    """Return the stream once the server, which speaks first, has said something."""
    try:
        stream.recv(1, socket.MSG_PEEK)
    except OSError:
        stream.close()
        raise
    return stream


def _tls(at: Location) -> dict[str, Any]:
    """Return the driver's settings for libpq's words: without one, TLS where the server has it."""
    mode, authority = at.options.get("sslmode", "prefer"), at.options.get("sslrootcert")
    if mode == "disable":
        return {"ssl_disabled": True}
    if mode == "prefer":
        return {}
    try:
        context = ssl.create_default_context(cafile=authority)
    except OSError as fault:
        raise SourceFault(
            f"The certificate authority {authority} cannot be read: {fault.strerror}.",
            next_step="Check sslrootcert in the source's location.",
        ) from None
    context.check_hostname = mode == "verify-full"
    if mode == "require":
        context.verify_mode = ssl.CERT_NONE
    return {"ssl": context}
