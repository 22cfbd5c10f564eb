"""Network and web addresses, identifiers of machines."""

import ipaddress
import re

_URL = re.compile(r"(?:(?:https?|ftp)://|//|www\.)[^\s/]+\.[^\s]+|https?://[^\s]+", re.IGNORECASE)
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}(?:\.|/\S*)?", re.IGNORECASE)
_MAC = re.compile(
    r"[0-9a-f]{2}(?:([:-])[0-9a-f]{2})(?:\1[0-9a-f]{2}){4}|[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}",
    re.IGNORECASE,
)
_BARE_MAC = re.compile(r"[0-9a-f]{12}", re.IGNORECASE)
_EUI_64 = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2}){7}", re.IGNORECASE)
"""A port of a storage network, a device of eight octets: IPv6 would leave zeros out."""
_UUID = re.compile(r"\{?[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}\}?", re.IGNORECASE)
_PORT = re.compile(r"\[?([0-9a-fA-F:.]+)\]?(?::\d{1,5}|/\d{1,3})")
_FILE = re.compile(
    r"\.(?:jpe?g|png|gif|svg|webp|pdf|docx?|xlsx?|csv|txt|zip|mp[34]|py|js|css|ipynb|sql|json|xml"
    r"|java|exe|dll|log|md|ya?ml)$",
    re.IGNORECASE,
)


def is_url(value: str) -> bool:
    """A web or FTP address with scheme, or one that begins with `www.`."""
    return _URL.fullmatch(value) is not None


def is_hostname(value: str) -> bool:
    """A host name with an optional path, not a file name."""
    return _HOST.fullmatch(value) is not None and not _FILE.search(value)


def is_file_name(value: str) -> bool:
    """A name that ends as files of well-known kinds do, with or without folders, not a URL."""
    return bool(_FILE.search(value)) and "://" not in value and len(value) <= 120


def is_ipv4(value: str) -> bool:
    """Four decimal octets (RFC 791), not a short version such as 1.2.0.4."""
    if value.count(".") != 3:
        return False  # most values are none, and the library's error is dear
    try:
        ipaddress.IPv4Address(value)
    except ValueError:
        return False
    return True


def is_ipv6(value: str) -> bool:
    """An IPv6 address (RFC 4291); `::` alone says too little, and octets in pairs are EUI-64."""
    if value.count(":") < 2 or _EUI_64.fullmatch(value):
        return False
    try:
        ipaddress.IPv6Address(value)
    except ValueError:
        return False
    return len(value) > 4


def is_ip_with_suffix(value: str) -> bool:
    """An IP address with a port or a prefix length."""
    found = _PORT.fullmatch(value)
    return found is not None and (is_ipv4(found[1]) or (len(found[1]) > 4 and is_ipv6(found[1])))


def is_ip(value: str) -> bool:
    """An address of either version, with or without port, that is no short version number."""
    if is_ipv4(value):
        return not is_low_version(value)
    return is_ipv6(value) or is_ip_with_suffix(value)


def is_low_version(value: str) -> bool:
    """Four small numbers, as software versions are: every octet after the first below 30."""
    parts = value.split(".")
    return len(parts) == 4 and all(p.isdigit() and int(p) < 30 for p in parts)


def is_version_head(value: str) -> bool:
    """Four numbers that begin as versions do: two small ones, not the private network 10.

    Of random addresses 1 in 30 begins so; of versions nearly all.
    """
    parts = value.split(".")
    first, second = int(parts[0]), int(parts[1])
    return first < 32 and second < 64 and first != 10


def is_mac(value: str) -> bool:
    """An EUI-48 address in pairs or in Cisco's groups of four (IEEE 802)."""
    return _MAC.fullmatch(value) is not None


def is_bare_mac(value: str) -> bool:
    """An EUI-48 address without separators: twelve hexadecimal digits, letters among them."""
    return _BARE_MAC.fullmatch(value) is not None and not value.isdigit()


def is_uuid(value: str) -> bool:
    """A UUID (RFC 9562), with or without dashes and braces."""
    return _UUID.fullmatch(value) is not None
