"""Which addresses and files a connector may reach.

A source's address comes from a user. Without this, a scan could be sent to a cloud's metadata
service or to Racine's own machine (OWASP: server-side request forgery).
"""

import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from racine.errors import SourceFault

_METADATA = frozenset(
    map(ipaddress.ip_address, ("100.100.100.200", "192.0.0.192", "168.63.129.16", "fd00:ec2::254"))
)
"""Metadata services outside the link-local range: Alibaba, Oracle, Azure, AWS over IPv6."""


@dataclass(frozen=True)
class Boundary:
    loopback: bool = True
    folders: Sequence[Path] = ()
    """Folders that files must lie in; none for anywhere."""

    def resolve(self, host: str, port: int) -> str:
        """Return the address to connect to, which is then used in place of the name.

        Raises SourceFault for a name without address and for an address that is refused.
        """
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as fault:
            raise SourceFault(
                f"The host name {host!r} cannot be resolved: {fault}.",
                next_step="Check the spelling, and that the worker's DNS knows it.",
            ) from None
        addresses = [str(entry[4][0]) for entry in found]
        for address in addresses:
            if reason := self._refusal(address):
                raise SourceFault(f"{host} is at {address}, {reason}.", next_step=_ADVICE)
        return addresses[0]

    def file(self, path: str) -> str:
        """Return the path; raise SourceFault when it leads out of the allowed folders."""
        real = Path(path).resolve()
        if self.folders and not any(real.is_relative_to(f.resolve()) for f in self.folders):
            raise SourceFault(
                f"{path} is outside the folders that sources may lie in.",
                next_step="Move it there, or add its folder to RACINE_SOURCE_FOLDERS.",
            )
        return path

    def _refusal(self, address: str) -> str:
        ip = ipaddress.ip_address(address.split("%", 1)[0])
        ip = getattr(ip, "ipv4_mapped", None) or ip
        if ip.is_link_local or ip in _METADATA:
            return "a link-local or metadata address, which no source may use"
        if ip.is_multicast or ip.is_unspecified:
            return "not an address of one machine"
        if ip.is_loopback and not self.loopback:
            return "this machine itself, which sources may not use here"
        return ""


_ADVICE = "Give the address of the data source; RACINE_ALLOW_LOOPBACK=true allows this machine."
