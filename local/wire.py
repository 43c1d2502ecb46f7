"""HTTP/1.1 as both servers of the local stack speak it: bodies in with a limit, answers out, problems as JSON.

Python's ``http.server`` does the parsing. This module adds what it lacks: bodies of declared and of chunked length,
requests whose headers contradict their bodies, and errors that say what is wrong in the format of the API.
"""

from __future__ import annotations

import contextlib
import json
import socket
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from email.errors import FirstHeaderLineIsContinuationDefect, MissingHeaderBodySeparatorDefect
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from local.settings import HOST

_LINGER_BYTES = 64 << 20
_BROKEN_HEADERS = (FirstHeaderLineIsContinuationDefect, MissingHeaderBodySeparatorDefect)


@dataclass(frozen=True)
class Answer:
    """A response; ``headers`` are pairs because some, as Set-Cookie, come more than once."""

    status: int
    body: bytes = b""
    headers: Iterable[tuple[str, str]] = field(default=(("Content-Type", "application/json"),))


def problem(status: int, detail: str, title: str = "") -> Answer:
    """An error as ``application/problem+json``."""
    body = {
        "type": "about:blank",
        "title": title or HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "errors": [],
    }
    return Answer(status, json.dumps(body).encode(), (("Content-Type", "application/problem+json"),))


class _Refused(Exception):
    """The request's body cannot be read; ``answer`` says why."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.answer = problem(status, detail)


class Handler(BaseHTTPRequestHandler):
    """One connection; ``answer`` is what a server adds."""

    protocol_version = "HTTP/1.1"
    server_version = "Forfait"
    sys_version = ""
    # An answer leaves in one packet: with Nagle's algorithm a small one would wait 40 ms for an acknowledgement.
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 75
    max_body_bytes = 10 << 20

    def answer(self, body: bytes) -> Answer:
        """The response to this request (``command``, ``path``, ``headers``) with that body."""
        return problem(404, "There is no such resource.")

    def _handle(self) -> None:
        try:
            # Other defects concern the body of a multipart message, which these headers do not hold.
            if any(isinstance(defect, _BROKEN_HEADERS) for defect in self.headers.defects):
                raise _Refused(400, "The request's headers cannot be read.")
            body = self._read_body()
        except _Refused as refused:
            self.close_connection = True
            self._send(refused.answer)
            self._linger()
            return
        self._send(self.answer(body))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _handle

    def handle_expect_100(self) -> bool:
        try:
            self._length()
        except _Refused as refused:
            self.close_connection = True
            self._send(refused.answer)
            return False
        return super().handle_expect_100()

    def _length(self) -> int | None:
        """Declared bytes of the body, ``None`` when it comes in chunks."""
        lengths = set(self.headers.get_all("Content-Length", []))
        encoding = self.headers.get("Transfer-Encoding", "").strip().lower()
        if encoding:
            if encoding != "chunked" or lengths:
                raise _Refused(400, "Transfer-Encoding must be chunked, and stand alone.")
            return None
        text = lengths.pop().strip() if lengths else "0"
        if lengths or not (text.isascii() and text.isdigit()):
            raise _Refused(400, "Content-Length must be one whole number.")
        self._check_size(int(text[:19]))
        return int(text)

    def _check_size(self, size: int) -> None:
        if size > self.max_body_bytes:
            raise _Refused(413, f"A request may have at most {self.max_body_bytes:,} bytes; upload files instead.")

    def _read_body(self) -> bytes:
        length = self._length()
        if length is None:
            return self._read_chunks()
        body = self.rfile.read(length)
        if len(body) < length:
            raise _Refused(400, "The request ended before its body did.")
        return body

    def _read_chunks(self) -> bytes:
        body = bytearray()
        while True:
            size_text = self.rfile.readline(1024).partition(b";")[0].strip()
            try:
                size = int(size_text, 16) if size_text.isalnum() else -1
            except ValueError:
                size = -1
            if size < 0:
                raise _Refused(400, "A chunk of the request has no readable length.")
            self._check_size(len(body) + size)
            chunk = self.rfile.read(size)
            if len(chunk) < size or (size and self.rfile.readline(3).strip(b"\r\n")):
                raise _Refused(400, "A chunk of the request is not as long as it says.")
            body += chunk
            if not size:
                break
        # Trailers, which nothing here needs, up to the blank line.
        while self.rfile.readline(65_536).strip(b"\r\n"):
            pass
        return bytes(body)

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        bodiless = answer.status in (204, 304) or answer.status < 200
        if not bodiless:
            self.send_header("Content-Length", str(len(answer.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if not bodiless and self.command != "HEAD":
            self.wfile.write(answer.body)
        self.wfile.flush()

    def _linger(self) -> None:
        """Take what the client still sends, unread: closing at once would reset the connection and lose the answer."""
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(2)
            left = _LINGER_BYTES
            while left > 0 and (data := self.connection.recv(65_536)):
                left -= len(data)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Errors that ``http.server`` finds itself: no such method is no such resource, as for API Gateway."""
        self.close_connection = True
        self.request_version = self.protocol_version
        self.command = getattr(self, "command", None) or "GET"
        if code == HTTPStatus.NOT_IMPLEMENTED:
            self._send(problem(404, "There is no such resource."))
        else:
            self._send(problem(code, message or "The request cannot be read."))
        self._linger()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: a log of requests would hold query strings, and those hold what customers type."""


class Server(ThreadingHTTPServer):
    """A threaded server on a socket that already listens on loopback."""

    daemon_threads = True

    def __init__(self, sock: socket.socket, handler: type[Handler]) -> None:
        super().__init__((HOST, 0), handler, bind_and_activate=False)
        self.socket.close()
        self.socket = sock
        self.server_address = sock.getsockname()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no error of ours; anything else is shown."""
        if not isinstance(sys.exception(), (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)
