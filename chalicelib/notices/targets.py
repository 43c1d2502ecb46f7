"""Where a webhook may go: https to a public address, and nowhere inside anybody's network."""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, urlsplit

_UNICAST = ipaddress.ip_network("2000::/3")
"""All of the public internet's own IPv6. Beyond it lie the ways to write an IPv4 address (``::10.0.0.1``,
``64:ff9b::/96``) and what is used inside networks only."""
_EXAMPLES = ipaddress.ip_network("3fff::/20")
"""For documents (RFC 9637); not every Python knows it."""


def check_url(text: str, *, loopback: bool) -> str:
    """The URL, or ``ValueError`` with what is wrong with it. ``loopback`` lets http to this very machine through."""
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
    """Whether a URL is plain http to this very machine."""
    return parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")


def is_public(text: str) -> bool:
    """Whether an IP address is one of the public internet, also when it wears another kind's clothes."""
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
    """An address that is not public, or a number that some resolvers take for one: 127.1, 0x7f000001, 2130706433."""
    try:
        return not is_public(host)
    except ValueError:
        # No public name ends in a number.
        return host.rpartition(".")[2].removeprefix("0x").isdigit()
