"""HTTP connections that go only where a source may lead."""

import socket

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from activities.connectors.boundary import Boundary

_CONNECT_SECONDS, _READ_SECONDS = 10, 20
_RETRIES = urllib3.Retry(
    total=2, redirect=False, backoff_factor=0.2, status_forcelist=(500, 502, 503, 504),
    raise_on_status=False,
)  # fmt: skip


def guarded_pool(boundary: Boundary) -> urllib3.PoolManager:
    """Return urllib3's pool; each connection goes to the very address that was checked.

    Redirects are not followed. A refused address raises SourceFault.
    """

    def connected(host: str, port: int) -> socket.socket:
        return socket.create_connection((boundary.resolve(host, port), port), _CONNECT_SECONDS)

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return connected(self.host, self.port)

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return connected(self.host, self.port)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    timeout = urllib3.Timeout(connect=_CONNECT_SECONDS, read=_READ_SECONDS)
    manager = urllib3.PoolManager(timeout=timeout, retries=_RETRIES, cert_reqs="CERT_REQUIRED")
    manager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}
    return manager
