"""URLs and addresses that a webhook may have: https to the public internet, never to an internal network."""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, urlsplit

_UNICAST = ipaddress.ip_network("2000::/3")
"""The public IPv6 addresses. Other ranges embed IPv4 addresses (``::10.0.0.1``, ``64:ff9b::/96``) or are internal."""
_EXAMPLES = ipaddress.ip_network("3fff::/20")
"""Reserved for documentation (RFC 9637); not every version of Python knows it."""


def check_url(text: str, *, loopback: bool) -> str:
    """The URL; ``ValueError`` says why it is refused. ``loopback`` also accepts http to this machine."""
    if not text.isascii() or not text.isprintable() or " " in text or "\\" in text:
        raise ValueError("must be a URL in ASCII; write other letters percent-encoded")
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError("must be a URL such as https://example.com/hook") from None
    if "@" in parts.netloc:
        raise ValueError("must not hold a user name or password")
    if parts.fragment or not host:
        raise ValueError("must be a URL such as https://example.com/hook, without #")
    if loopback and is_local(parts):
        return text
    if parts.scheme != "https":
        raise ValueError("must begin with https://")
    if _is_number(host):
        raise ValueError("must name a host, or be a public address in its usual spelling")
    if "." not in host and ":" not in host:
        raise ValueError("must name a host with its domain")
    return text


def is_local(parts: SplitResult) -> bool:
    """Whether a URL is plain http to this machine."""
    return parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")


def is_public(text: str) -> bool:
    """Whether an IP address is public; of an IPv6 address that embeds an IPv4 address, the embedded one counts."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped.is_global and not address.ipv4_mapped.is_multicast
        if address not in _UNICAST or address in _EXAMPLES:
            return False
        inner = address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is not None and not inner.is_global:
            return False
    return address.is_global and not address.is_multicast


def _is_number(host: str) -> bool:
    """Whether a host is a non-public address, or what resolvers may read as one: 127.1, 0x7f000001, 2130706433."""
    try:
        return not is_public(host)
    except ValueError:
        # It is a name, and no public name ends in a number.
        return host.rpartition(".")[2].removeprefix("0x").isdigit()
