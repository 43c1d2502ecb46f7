"""The way out: to checked addresses only, no redirects, and nobody can hold it up."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from receiver import Receiver, receiving

from chalicelib.notices import hooks, targets
from chalicelib.notices.shapes import WebhookIn

pytestmark = pytest.mark.system

HEADERS = {"Content-Type": "application/json", "Forfait-Event-Id": "01E"}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def send(receiver: Receiver, path: str = "/hook?a=b") -> hooks.Outcome:
    return hooks.post(receiver.url + path, b"{}", HEADERS, loopback=True)


def addressed(*addresses: str) -> Any:
    """A resolver that knows one answer."""
    return lambda host, port: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses]


def test_a_request_arrives_with_its_headers_and_body(receiver: Receiver) -> None:
    outcome = send(receiver)
    assert (outcome.status, outcome.error, outcome.delivered) == (200, "", True)
    ((headers, body),) = receiver.got
    assert body == b"{}"
    assert headers["Host"] == receiver.url.removeprefix("http://")
    assert HEADERS.items() <= headers.items()


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_not_followed(receiver: Receiver, status: int) -> None:
    receiver.answer = status
    outcome = send(receiver)
    assert (outcome.status, outcome.delivered, len(receiver.got)) == (status, False, 1)


@pytest.mark.parametrize(
    ("status", "delivered", "hopeless"), [(204, True, False), (410, False, True), (500, False, False)]
)
def test_only_2xx_is_delivered_and_only_410_hopeless(
    receiver: Receiver, status: int, delivered: bool, hopeless: bool
) -> None:
    receiver.answer = status
    outcome = send(receiver)
    assert (outcome.delivered, outcome.hopeless) == (delivered, hopeless)


@pytest.mark.parametrize("addresses", [("127.0.0.1",), ("8.8.8.8", "10.0.0.1"), ("169.254.169.254",), ()])
def test_a_name_that_leads_inside_is_not_followed(addresses: tuple[str, ...]) -> None:
    outcome = hooks.post("https://innocent.example.com/", b"", {}, resolve=addressed(*addresses))
    assert outcome.status is None
    assert "address" in outcome.error


@pytest.mark.parametrize("address", ["192.0.0.8", "192.0.0.15", "192.88.99.1", "2001:2::1", "fe80::1%eth0"])
def test_what_may_not_be_entered_as_an_address_is_not_reached_by_a_name(address: str) -> None:
    outcome = hooks.post("https://innocent.example.com/", b"", {}, resolve=addressed(address))
    assert outcome == hooks.Outcome(None, "the host has an address that must not be reached from here")
    url = f"https://[{address}]/" if ":" in address else f"https://{address}/"
    with pytest.raises(ValueError, match="public address"):
        targets.check_url(url, loopback=False)


@pytest.mark.parametrize(
    "url", ["https://.", "https://..", "https://example.com:0/", "https://192.0.0.8/", "https://1.0x7f/"]
)
def test_a_url_is_refused_at_entry_and_at_sending_with_the_same_words(url: str) -> None:
    """Before its host is looked up: a webhook may be older than a rule."""

    def never(host: str, port: int) -> Any:
        raise AssertionError("looked up")

    with pytest.raises(ValueError) as entered:
        WebhookIn(url=url)
    outcome = hooks.post(url, b"", {}, resolve=never)
    assert outcome.status is None
    assert outcome.error in str(entered.value)


def test_the_local_stage_lets_no_other_machine_be_reached_over_http() -> None:
    outcome = hooks.post("http://localhost:1/", b"", {}, loopback=True, resolve=addressed("10.0.0.1"))
    assert "must not be reached" in outcome.error


def test_the_connection_goes_to_the_address_that_was_checked_and_tls_is_verified() -> None:
    """The name is never looked up again: the resolver would fail the second time."""
    asked = []

    def once(host: str, port: int) -> Any:
        asked.append(host)
        assert len(asked) == 1
        return addressed("127.0.0.1")(host, server.getsockname()[1])

    server = socket.create_server(("127.0.0.1", 0))
    names: list[str] = []
    thread = threading.Thread(target=_hello, args=(server, names), daemon=True)
    thread.start()
    outcome = hooks.post("https://hooks.example.com/x", b"", {}, resolve=once, allowed=lambda _: True)
    thread.join(5)
    assert outcome.status is None and outcome.error.startswith("TLS: ")
    assert (asked, names) == (["hooks.example.com"], ["hooks.example.com"])


def _hello(server: socket.socket, names: list[str]) -> None:
    """A TLS server without a certificate: it hears the name that is asked for, and fails."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sni_callback = lambda _, name, __: names.append(name)
    connection, _ = server.accept()
    with server, connection, pytest.raises(OSError):
        context.wrap_socket(connection, server_side=True)


def test_a_port_where_nobody_listens_and_a_name_that_nobody_has() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert hooks.post(f"http://127.0.0.1:{port}/", b"", {}, loopback=True).error == "no answer: ConnectionRefusedError"

    def unknown(host: str, port: int) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    assert "cannot be resolved" in hooks.post("https://nowhere.example.com/", b"", {}, resolve=unknown).error


def test_whoever_answers_drop_by_drop_is_cut_off(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "WHOLE_SECONDS", 0.5)
    gone = threading.Event()

    def drip(handler: Any) -> None:
        while not gone.is_set():
            handler.wfile.write(b"H")
            time.sleep(0.05)

    receiver.answer = drip
    outcome = send(receiver)
    gone.set()
    assert outcome.status is None and outcome.error


def test_whoever_says_nothing_is_given_up(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "ANSWER_SECONDS", 0.2)
    gone = threading.Event()
    receiver.answer = lambda _: gone.wait(5) and None
    assert send(receiver).error == "no answer in time"
    gone.set()


def test_an_answer_that_is_not_http(receiver: Receiver) -> None:
    receiver.answer = lambda handler: handler.wfile.write(b"no HTTP\r\n\r\n") and None
    assert send(receiver).error == "no answer: BadStatusLine"
