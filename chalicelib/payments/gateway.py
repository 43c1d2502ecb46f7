"""PayPal over HTTPS: the post-back of IPN messages, and the calls of a REST app.

The hosts are constants: no message, setting of a reseller or answer of PayPal can change them. Redirects are not
followed. Certificates and host names are checked. Only on the stage ``local`` a stand-in on loopback replaces PayPal.
"""

from __future__ import annotations

import base64
import http.client
import json
import logging
import socket
import ssl
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from chalicelib.config import settings

log = logging.getLogger(__name__)
VERIFIED, INVALID, UNCLEAR = "VERIFIED", "INVALID", "UNCLEAR"
"""Verdicts about a message: PayPal sent it, PayPal did not, or PayPal gave no clear answer. The words are stored."""
USER_AGENT = "Forfait/1 (PayPal IPN listener)"
"""PayPal answers 403 to requests without a User-Agent."""
POSTBACK = {
    "live": "https://ipnpb.paypal.com/cgi-bin/webscr",
    "sandbox": "https://ipnpb.sandbox.paypal.com/cgi-bin/webscr",
}
BUTTON = {"live": "https://www.paypal.com/cgi-bin/webscr", "sandbox": "https://www.sandbox.paypal.com/cgi-bin/webscr"}
REST = {"live": "https://api-m.paypal.com", "sandbox": "https://api-m.sandbox.paypal.com"}
CURRENCIES = "AUD BRL CAD CNY CZK DKK EUR HKD HUF ILS JPY MXN MYR NOK NZD PHP PLN GBP SGD SEK CHF TWD THB USD"
"""Currencies that PayPal handles, as ISO 4217 codes."""
CONNECT_SECONDS, TOTAL_SECONDS = 4.0, 10.0
"""Limits of one request. PayPal waits 20 s for our answer to a message; the ledger needs the rest."""
_MAX_ANSWER_BYTES = 256 << 10


class PaypalFailed(Exception):
    """A call of PayPal's API failed. The text has the HTTP status and PayPal's error name, and no personal data.

    ``status``: the HTTP status; 0 when there was no clear answer.
    """

    def __init__(self, detail: str, status: int = 0) -> None:
        super().__init__(detail)
        self.status = status


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes


def currency() -> str:
    return settings.currency


def unknown_currency() -> bool:
    return settings.currency not in CURRENCIES.split()


def form_action(environment: str) -> str:
    """URL to which the classic button's form is sent."""
    return _classic(environment, BUTTON)


def origins() -> tuple[str, ...]:
    """Origins to which the pay page may send its form."""
    urls = (form_action(environment) for environment in BUTTON)
    return tuple(dict.fromkeys(f"{parts.scheme}://{parts.netloc}" for parts in map(urlsplit, urls)))


def _classic(environment: str, hosts: dict[str, str]) -> str:
    if settings.is_local and settings.paypal_local_url:
        return f"{settings.paypal_local_url}/{environment}/cgi-bin/webscr"
    return hosts[environment]


class Paypal:
    """Requests to PayPal. ``total_seconds`` limits each request; ``context`` is the TLS context, for tests."""

    def __init__(self, total_seconds: float = TOTAL_SECONDS, context: ssl.SSLContext | None = None) -> None:
        self._total_seconds = total_seconds
        self._context = context

    def postback_url(self, environment: str) -> str:
        return _classic(environment, POSTBACK)

    def rest_url(self, environment: str) -> str:
        if settings.is_local and settings.paypal_local_url:
            return f"{settings.paypal_local_url}/{environment}"
        return REST[environment]

    def verify(self, environment: str, raw: bytes) -> str:
        """Post a message back to PayPal: VERIFIED, INVALID, or UNCLEAR for any other answer and for none."""
        body = b"cmd=_notify-validate&" + raw
        try:
            answer = self._send("POST", self.postback_url(environment), body, "application/x-www-form-urlencoded")
        except (OSError, http.client.HTTPException) as problem:
            log.warning("PayPal's post-back failed: %s", type(problem).__name__)
            return UNCLEAR
        if answer.status == 200 and answer.body in (b"VERIFIED", b"INVALID"):
            return answer.body.decode()
        log.warning("PayPal's post-back is unclear: status %d, %d bytes", answer.status, len(answer.body))
        return UNCLEAR

    def call(self, environment: str, method: str, path: str, authorization: str, body: bytes, **more: str) -> Any:
        """Call the REST API; the decoded JSON. ``PaypalFailed`` for any answer but 2xx and for none."""
        headers = {"Authorization": authorization, "Accept": "application/json", **more}
        form = path == "/v1/oauth2/token"
        media = "application/x-www-form-urlencoded" if form else "application/json"
        try:
            answer = self._send(method, self.rest_url(environment) + path, body, media, headers)
            result = json.loads(answer.body) if answer.body else {}
        except (OSError, http.client.HTTPException, ValueError) as problem:
            raise PaypalFailed(f"no clear answer ({type(problem).__name__})") from problem
        if not 200 <= answer.status < 300:
            name = result.get("name") or result.get("error") if isinstance(result, dict) else ""
            raise PaypalFailed(f"{answer.status} {str(name or '')[:60]}".strip(), answer.status)
        return result

    def _send(self, method: str, url: str, body: bytes, media: str, headers: dict[str, str] | None = None) -> Answer:
        """Send one request on a new connection; ``OSError`` if it takes longer than ``total_seconds``."""
        parts, deadline = urlsplit(url), time.monotonic() + self._total_seconds
        connection = self._connection(parts.scheme, parts.netloc)
        try:
            connection.connect()
            # http.client drops its own reference when the answer ends the connection.
            sock = connection.sock
            _within(sock, deadline)
            own = {"Content-Type": media, "User-Agent": USER_AGENT, "Connection": "close", **(headers or {})}
            connection.request(method, parts.path, body, own)
            answer = connection.getresponse()
            return Answer(answer.status, _read(sock, answer, deadline))
        finally:
            connection.close()

    def _connection(self, scheme: str, host: str) -> http.client.HTTPConnection:
        timeout = min(CONNECT_SECONDS, self._total_seconds)
        if scheme == "https":
            context = self._context or ssl.create_default_context()
            return http.client.HTTPSConnection(host, timeout=timeout, context=context)
        if not settings.is_local:
            raise OSError("only https leaves this deployment")
        return http.client.HTTPConnection(host, timeout=timeout)


def _read(sock: socket.socket, answer: http.client.HTTPResponse, deadline: float) -> bytes:
    """The body of an answer; ``OSError`` if it is cut off, too long or too slow."""
    body = bytearray()
    while chunk := answer.read1(65_536):
        body += chunk
        if len(body) > _MAX_ANSWER_BYTES:
            raise OSError("the answer is too long")
        # Since 3.11.8, 3.12.2 and 3.13, the last byte of an answer that ends the connection closes the socket, too.
        if answer.isclosed():
            break
        _within(sock, deadline)
    if answer.length:
        raise OSError("the answer was cut off")
    return bytes(body)


def _within(sock: socket.socket, deadline: float) -> None:
    """Set the socket's timeout to the time left before ``deadline``; ``TimeoutError`` if no time is left."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    sock.settimeout(left)


def basic(client_id: str, secret: str) -> str:
    """The ``Authorization`` header of a request for an access token."""
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()
