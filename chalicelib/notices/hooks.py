"""The gateway for webhooks: one HTTP POST to a public address.

The host name is resolved once, each of its addresses is checked, and the connection goes to one of them; so a name that
resolves differently the second time gets no further. Redirects are not followed and the answer's body is not read. A
receiver that answers too slowly is disconnected.
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
"""Limits: for the connection, for each wait on the receiver, and for the whole request."""
Resolve = Callable[[str, int], list[Any]]
"""Host name and port -> addresses, in the form of ``socket.getaddrinfo``."""
Allowed = Callable[[str], bool]
"""Whether a webhook may go to an address."""


@dataclass(frozen=True)
class Outcome:
    """Result of one try.

    status: HTTP status; ``None`` without an answer.
    error: why the try failed; blank if it did not.
    """

    status: int | None
    error: str = ""

    @property
    def delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def hopeless(self) -> bool:
        """410: the receiver says that it is gone for good, so that no further try makes sense."""
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
    """Send one request. Nothing that the receiver does raises an exception."""
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
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("POST", target, body, {"Host": parts.netloc, "Connection": "close", **headers})
            return _outcome(connection.getresponse().status)


def _outcome(status: int) -> Outcome:
    return Outcome(status, "" if 200 <= status < 300 else f"answered {status}")


def _is_this_machine(address: str) -> bool:
    return address in ("127.0.0.1", "::1")


def _address(resolved: list[Any], allowed: Allowed) -> tuple[int, Any]:
    """Family and address of the first entry; ``ValueError`` if any of the addresses is not allowed."""
    if not resolved:
        raise ValueError("the host has no address")
    if not all(allowed(address[0]) for *_, address in resolved):
        raise ValueError("the host has an address that must not be reached from here")
    family, *_, address = resolved[0]
    return int(family), address


@contextlib.contextmanager
def _cut_after(seconds: float, sock: socket.socket) -> Any:
    """Disconnect after so many seconds. A receiver that keeps sending single bytes would never time out."""

    def cut() -> None:
        with contextlib.suppress(OSError):
            # TLS's own shutdown would wait for the other side.
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
