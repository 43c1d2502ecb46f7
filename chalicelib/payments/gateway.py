"""PayPal over HTTPS: the post-back of IPN messages, and the few calls of a REST app.

The hosts are constants. Nothing in a message, a setting of a reseller or an answer of PayPal can change them; redirects
are not followed, because they are answers like any other that is not the expected one; certificates and names are
checked. Only on the stage ``local`` a stand-in on loopback takes PayPal's place.
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
USER_AGENT = "Forfait/1 (PayPal IPN listener)"
"""PayPal answers 403 to callers that do not say who they are."""
POSTBACK = {
    "live": "https://ipnpb.paypal.com/cgi-bin/webscr",
    "sandbox": "https://ipnpb.sandbox.paypal.com/cgi-bin/webscr",
}
BUTTON = {"live": "https://www.paypal.com/cgi-bin/webscr", "sandbox": "https://www.sandbox.paypal.com/cgi-bin/webscr"}
REST = {"live": "https://api-m.paypal.com", "sandbox": "https://api-m.sandbox.paypal.com"}
CURRENCIES = "AUD BRL CAD CNY CZK DKK EUR HKD HUF ILS JPY MXN MYR NOK NZD PHP PLN GBP SGD SEK CHF TWD THB USD"
"""What PayPal handles."""
CONNECT_SECONDS, TOTAL_SECONDS = 4.0, 10.0
"""PayPal waits 20 s for our answer to a message; the rest is for the ledger."""
_MAX_ANSWER_BYTES = 256 << 10


class PaypalFailed(Exception):
    """PayPal did not do what was asked; the message holds its status and its own word for it, no data of anybody.

    ``status`` is 0 when there was no clear answer.
    """

    def __init__(self, told: str, status: int = 0) -> None:
        super().__init__(told)
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
    """Where a browser brings the classic button's form."""
    return _classic(environment, BUTTON)


def origins() -> tuple[str, ...]:
    """Where a page of ours may send a form to."""
    found = (form_action(environment) for environment in BUTTON)
    return tuple(dict.fromkeys(f"{parts.scheme}://{parts.netloc}" for parts in map(urlsplit, found)))


def _classic(environment: str, hosts: dict[str, str]) -> str:
    if settings.is_local and settings.paypal_local_url:
        return f"{settings.paypal_local_url}/{environment}/cgi-bin/webscr"
    return hosts[environment]


class Paypal:
    """PayPal as the services see it; tests hand in one with other addresses or a shorter patience."""

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
        """What PayPal says about a message: VERIFIED, INVALID, or UNCLEAR, which is anything else at all."""
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
        """One call of the REST API; its JSON. ``PaypalFailed`` for any answer but 2xx, and when there is none."""
        headers = {"Authorization": authorization, "Accept": "application/json", **more}
        form = path == "/v1/oauth2/token"
        media = "application/x-www-form-urlencoded" if form else "application/json"
        try:
            answer = self._send(method, self.rest_url(environment) + path, body, media, headers)
            told = json.loads(answer.body) if answer.body else {}
        except (OSError, http.client.HTTPException, ValueError) as problem:
            raise PaypalFailed(f"no clear answer ({type(problem).__name__})") from problem
        if not 200 <= answer.status < 300:
            name = told.get("name") or told.get("error") if isinstance(told, dict) else ""
            raise PaypalFailed(f"{answer.status} {str(name or '')[:60]}".strip(), answer.status)
        return told

    def _send(self, method: str, url: str, body: bytes, media: str, headers: dict[str, str] | None = None) -> Answer:
        """One request on a connection of its own, done within ``total_seconds``; ``OSError`` when it is not."""
        parts, deadline = urlsplit(url), time.monotonic() + self._total_seconds
        connection = self._connection(parts.scheme, parts.netloc)
        try:
            connection.connect()
            # Held, because http.client lets go of it where the answer ends the connection.
            sock = connection.sock
            _within(sock, deadline)
            told = {"Content-Type": media, "User-Agent": USER_AGENT, "Connection": "close", **(headers or {})}
            connection.request(method, parts.path, body, told)
            answer = connection.getresponse()
            return Answer(answer.status, _read(sock, answer, deadline))
        finally:
            connection.close()

    def _connection(self, scheme: str, place: str) -> http.client.HTTPConnection:
        patience = min(CONNECT_SECONDS, self._total_seconds)
        if scheme == "https":
            return http.client.HTTPSConnection(
                place, timeout=patience, context=self._context or ssl.create_default_context()
            )
        if not settings.is_local:
            raise OSError("only https leaves this deployment")
        return http.client.HTTPConnection(place, timeout=patience)


def _read(sock: socket.socket, answer: http.client.HTTPResponse, deadline: float) -> bytes:
    found = bytearray()
    while chunk := answer.read1(65_536):
        found += chunk
        if len(found) > _MAX_ANSWER_BYTES:
            raise OSError("the answer is too long")
        # Since 3.11.8, 3.12.2 and 3.13, the last byte of an answer that ends the connection closes the socket, too.
        if answer.isclosed():
            break
        _within(sock, deadline)
    if answer.length:
        raise OSError("the answer was cut off")
    return bytes(found)


def _within(sock: socket.socket, deadline: float) -> None:
    """Let the next step take what is left of the time, or fail when nothing is."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    sock.settimeout(left)


def basic(client_id: str, secret: str) -> str:
    """The authorization that a token is asked for with."""
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()
