"""The way out to webhooks.

The name is resolved once, every address it has is checked, and the connection goes to one of those very addresses: a
name that answers differently the second time gains nothing. Redirects are not followed, the answer's body is not read,
and whoever answers drop by drop is cut off.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from chalicelib.notices import targets

CONNECT_SECONDS, ANSWER_SECONDS, WHOLE_SECONDS = 5.0, 10.0, 15.0
Resolve = Callable[[str, int], list[Any]]
"""A name and a port -> its addresses, as ``socket.getaddrinfo`` has them."""
Allowed = Callable[[str], bool]
"""Whether an address may be reached."""


@dataclass(frozen=True)
class Outcome:
    """What came of one try: the status of an answer, or why there was none."""

    status: int | None
    error: str = ""

    @property
    def delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def hopeless(self) -> bool:
        """410: the receiver says that it is gone for good."""
        return self.status == 410


def resolve(host: str, port: int) -> list[Any]:
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    loopback: bool = False,
    resolve: Resolve = resolve,
    allowed: Allowed = targets.is_public,
) -> Outcome:
    """Send one request; never raises for what the other side does."""
    try:
        return _post(url, body, headers, loopback, resolve, allowed)
    except TimeoutError:
        return Outcome(None, "no answer in time")
    except socket.gaierror:
        return Outcome(None, "the host's name cannot be resolved")
    except ssl.SSLError as problem:
        return Outcome(None, f"TLS: {problem.reason or type(problem).__name__}")
    except (OSError, http.client.HTTPException) as problem:
        return Outcome(None, f"no answer: {type(problem).__name__}")
    except ValueError as problem:
        return Outcome(None, str(problem))


def _post(
    url: str, body: bytes, headers: Mapping[str, str], loopback: bool, resolve: Resolve, allowed: Allowed
) -> Outcome:
    parts = urlsplit(targets.check_url(url, loopback=loopback))
    secure, host = parts.scheme == "https", parts.hostname or ""
    port = parts.port or (443 if secure else 80)
    if loopback and targets.is_local(parts):
        allowed = _is_this_machine
    family, address = _address(resolve(host, port), allowed)
    with socket.socket(family, socket.SOCK_STREAM) as plain:
        plain.settimeout(CONNECT_SECONDS)
        plain.connect(address)
        sock = _tls().wrap_socket(plain, server_hostname=host) if secure else plain
        with contextlib.closing(sock), _cut_after(WHOLE_SECONDS, sock):
            sock.settimeout(ANSWER_SECONDS)
            connection = http.client.HTTPConnection(host, port)
            connection.sock = sock
            place = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("POST", place, body, {"Host": parts.netloc, "Connection": "close", **headers})
            return _outcome(connection.getresponse().status)


def _outcome(status: int) -> Outcome:
    return Outcome(status, "" if 200 <= status < 300 else f"answered {status}")


def _is_this_machine(address: str) -> bool:
    return address in ("127.0.0.1", "::1")


def _address(found: list[Any], allowed: Allowed) -> tuple[int, Any]:
    """The first of the addresses; ``ValueError`` when there is one among them that must not be reached."""
    if not found:
        raise ValueError("the host has no address")
    if not all(allowed(address[0]) for *_, address in found):
        raise ValueError("the host has an address that must not be reached from here")
    return int(found[0][0]), found[0][4]


@contextlib.contextmanager
def _cut_after(seconds: float, sock: socket.socket) -> Any:
    """Break the connection when it takes longer: a receiver that sends a byte now and then never times out."""

    def cut() -> None:
        with contextlib.suppress(OSError):
            # Not TLS's own goodbye, which would wait for the other side.
            socket.socket.shutdown(sock, socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()
