"""URLs and addresses that a webhook may have: https to the public internet, never to an internal network.

``check_url`` is asked when a webhook is entered and again before each request, ``is_public`` for the addresses that
the host's name then has. A URL whose host is an address is checked by both at both times.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

_V4, _V6 = (
    tuple(map(ipaddress.ip_network, text.split()))
    for text in (
        # IANA's special-purpose addresses (RFC 6890 and later), multicast, and those that are reserved. In some of
        # these networks some addresses are public, but no web server has one of them.
        """0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24
        192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 192.168.0.0/16 192.175.48.0/24 198.18.0.0/15 198.51.100.0/24
        203.0.113.0/24 224.0.0.0/4 240.0.0.0/4""",
        # Of the public ones (2000::/3): protocols, among them Teredo; documentation; 6to4; AS112.
        "2001::/23 2001:db8::/32 2002::/16 2620:4f:8000::/48 3fff::/20",
    )
)
"""Networks that are not public. They are listed here because each version of Python knows others."""
_UNICAST = ipaddress.ip_network("2000::/3")
"""The public IPv6 addresses. Other ranges embed IPv4 addresses (``::10.0.0.1``, ``64:ff9b::/96``) or are internal."""
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.IGNORECASE)
_MAX_HOST = 253


def check_url(text: str, *, loopback: bool) -> str:
    """The URL; ``ValueError`` says why it is refused. ``loopback`` also accepts http to this machine."""
    if not text.isascii() or not text.isprintable() or " " in text or "\\" in text:
        raise ValueError("must be a URL in ASCII; write other letters percent-encoded")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError("must be a URL such as https://example.com/hook") from None
    if "@" in parts.netloc:
        raise ValueError("must not hold a user name or password")
    if parts.fragment or not host:
        raise ValueError("must be a URL such as https://example.com/hook, without #")
    if port == 0:
        raise ValueError("must have a port from 1 to 65535, or none")
    if loopback and is_local(parts):
        return text
    if parts.scheme != "https":
        raise ValueError("must begin with https://")
    _check_host(host, in_brackets="[" in parts.netloc)
    return text


def _check_host(host: str, *, in_brackets: bool) -> None:
    """``ValueError`` unless a host is a public address, or a name with a domain that is read as a name everywhere."""
    labels = host.split(".")
    # Resolvers read 127.1, 0x7f.1 and 2130706433 as addresses; the last part of a name is no number.
    if in_brackets or _NUMBER.fullmatch(labels[-1]):
        if not is_public(host):
            raise ValueError("must name a host, or be a public address in its usual spelling")
    elif len(host) > _MAX_HOST or not all(map(_LABEL.fullmatch, labels)):
        raise ValueError("must name a host by letters, digits and hyphens, with single dots between them")
    elif len(labels) < 2 or labels[-1].lower() == "localhost":
        raise ValueError("must name a host with its domain")


def is_local(parts: SplitResult) -> bool:
    """Whether a URL is plain http to this machine."""
    return parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")


def is_public(text: str) -> bool:
    """Whether a text is a public IP address without a zone. Of an IPv4-mapped IPv6 address the IPv4 address counts."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _V4)
    return "%" not in text and address in _UNICAST and not any(address in network for network in _V6)
