"""Which addresses and files may be reached for a user: by a connector, by a request of a job.

An address comes from a user. Without this, a scan or a request could be sent to a cloud's metadata
service or to Racine's own machine (OWASP: server-side request forgery).
"""

import ipaddress
import socket
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from racine.errors import SourceFault

_METADATA = frozenset(
    map(ipaddress.ip_address, ("100.100.100.200", "192.0.0.192", "168.63.129.16", "fd00:ec2::254"))
)
"""Metadata services outside the link-local range: Alibaba, Oracle, Azure, AWS over IPv6."""


Ip = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


@dataclass(frozen=True)
class Boundary:
    loopback: bool = True
    folders: Sequence[Path] = ()
    """Folders that files must lie in; none for anywhere."""
    private: bool = True
    """Whether addresses may be used that are not of the public Internet."""
    opened: Sequence[str] = ()
    """Host names and networks that may be used all the same."""
    advice: str = (
        "Give the address of the data source; RACINE_ALLOW_LOOPBACK=true allows this machine."
    )

    def resolve(self, host: str, port: int) -> str:
        """Return the address to connect to, which is then used in place of the name.

        Raises SourceFault for a name without address and for an address that is refused.
        """
        return self.addresses(host, port)[0]

    def addresses(self, host: str, port: int) -> list[str]:
        """Return every address of a name, all of them checked; raises as `resolve` does."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as fault:
            raise SourceFault(
                f"The host name {host!r} cannot be resolved: {fault}.",
                next_step="Check the spelling, and that the worker's DNS knows it.",
            ) from None
        addresses = [str(entry[4][0]) for entry in found]
        for address in addresses:
            if reason := self._refusal(host, address):
                raise SourceFault(f"{host} is at {address}, {reason}.", next_step=self.advice)
        return list(dict.fromkeys(addresses))

    def file(self, path: str) -> str:
        """Return the path; raise SourceFault when it leads out of the allowed folders."""
        real = Path(path).resolve()
        if self.folders and not any(real.is_relative_to(f.resolve()) for f in self.folders):
            raise SourceFault(
                f"{path} is outside the folders that sources may lie in.",
                next_step="Move it there, or add its folder to RACINE_SOURCE_FOLDERS.",
            )
        return path

    def _refusal(self, host: str, address: str) -> str:
        ip = _inner(ipaddress.ip_address(address.split("%", 1)[0]))
        if self._is_opened(host, ip):
            return ""
        if ip.is_link_local or ip in _METADATA:
            return "a link-local or metadata address, which nothing may use"
        if ip.is_multicast or ip.is_unspecified:
            return "not an address of one machine"
        if ip.is_loopback and not self.loopback:
            return "this machine itself, which may not be used here"
        if not ip.is_global and not ip.is_loopback and not self.private:
            return "an address of a private network, which may not be used here"
        return ""

    def _is_opened(self, host: str, ip: Ip) -> bool:
        return any(host.lower() == name.lower() or ip in _network(name) for name in self.opened)


def _inner(ip: Ip) -> Ip:
    """Return the IPv4 address that an IPv6 one leads to: mapped, 6to4, Teredo or NAT64."""
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else ip)


def _network(name: str) -> Collection[Ip]:
    """Return a network by its text; a host name is an empty one."""
    try:
        return ipaddress.ip_network(name, strict=False)  # type: ignore[return-value]
    except ValueError:
        return ()
