"""The way to PayPal: constant hosts, checked certificates, no redirects, and an end to waiting."""

from __future__ import annotations

import datetime as dt
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chalicelib.payments import gateway
from chalicelib.payments.gateway import INVALID, UNCLEAR, VERIFIED, Paypal, PaypalFailed

pytestmark = pytest.mark.system

ASKED = "POST /live/cgi-bin/webscr HTTP/1.1"
GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nVERIFIED"


@contextmanager
def serving(
    answer: Callable[[socket.socket], None], context: ssl.SSLContext | None = None
) -> Iterator[tuple[int, list[str]]]:
    """A server on loopback: the port, and the first lines of the requests that it got."""
    listening, seen = socket.create_server(("127.0.0.1", 0)), list[str]()

    def run() -> None:
        while True:
            try:
                accepted, _ = listening.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(accepted, server_side=True) if context else accepted as connection:
                    got = b""
                    # To its end: closing on a request that is half read would reset the connection.
                    while not got.endswith(b"a=1") and (more := connection.recv(65_536)):
                        got += more
                    seen.append(got.split(b"\r\n")[0].decode())
                    answer(connection)
            except OSError:
                pass

    threading.Thread(target=run, daemon=True).start()
    try:
        yield listening.getsockname()[1], seen
    finally:
        listening.close()


def say(answer: bytes) -> Callable[[socket.socket], None]:
    return lambda connection: connection.sendall(answer)


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put PayPal's stand-in elsewhere."""

    def put(url: str) -> None:
        monkeypatch.setattr(gateway, "settings", replace(gateway.settings, paypal_local_url=url))

    return put


@pytest.mark.parametrize(("answer", "verdict"), [
    (GOOD, VERIFIED),
    (GOOD.replace(b"VERIFIED", b"INVALID_").replace(b"8", b"7"), INVALID),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nVERI\r\n4\r\nFIED\r\n0\r\n\r\n", VERIFIED),
    (b"HTTP/1.0 200 OK\r\n\r\nVERIFIED", VERIFIED),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nVERIFIED", UNCLEAR),
    (b"HTTP/1.1 200 OK\r\n\r\nverified", UNCLEAR),
    (b"HTTP/1.1 200 OK\r\n\r\n VERIFIED", UNCLEAR),
    (b"HTTP/1.1 200 OK\r\n\r\nVERIFIEDVERIFIED", UNCLEAR),
    (b"HTTP/1.1 200 OK\r\n\r\n", UNCLEAR),
    (b"HTTP/1.1 204 No Content\r\n\r\n", UNCLEAR),
    (b"HTTP/1.1 201 Created\r\n\r\nVERIFIED", UNCLEAR),
    (b"HTTP/1.1 403 Forbidden\r\n\r\nINVALID", UNCLEAR),
    (b"HTTP/1.1 503 x\r\n\r\nVERIFIED", UNCLEAR),
    (b"VERIFIED", UNCLEAR),
    (b"", UNCLEAR),
])  # fmt: skip
def test_only_200_and_the_very_word_counts(at: Callable[[str], None], answer: bytes, verdict: str) -> None:
    with serving(say(answer)) as (port, seen):
        at(f"http://127.0.0.1:{port}")
        assert Paypal(2).verify("live", b"a=1") == verdict
    assert seen == [ASKED]


class LettingGo(http.client.HTTPResponse):
    """Lets go of the connection with the last byte and not behind it, as Pythons do since 3.11.8, 3.12.2 and 3.13."""

    def read1(self, n: int = -1) -> bytes:
        found = super().read1(n)
        if self.length == 0 and not self.isclosed():
            self.close()
        return found


@pytest.mark.parametrize("response", [http.client.HTTPResponse, LettingGo], ids=["this Python", "a newer one"])
def test_an_answer_that_ends_the_connection_counts(
    at: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, response: type[http.client.HTTPResponse]
) -> None:
    monkeypatch.setattr(http.client.HTTPConnection, "response_class", response)
    with serving(say(GOOD.replace(b"200 OK", b"200 OK\r\nConnection: close"))) as (port, _):
        at(f"http://127.0.0.1:{port}")
        assert Paypal(2).verify("live", b"a=1") == VERIFIED


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 x", "308 x"])
def test_a_redirect_is_not_followed(at: Callable[[str], None], status: str) -> None:
    with serving(say(GOOD)) as (elsewhere, visited):
        moved = f"HTTP/1.1 {status}\r\nLocation: http://127.0.0.1:{elsewhere}/\r\nContent-Length: 0\r\n\r\n"
        with serving(say(moved.encode())) as (port, _):
            at(f"http://127.0.0.1:{port}")
            assert Paypal(2).verify("live", b"a=1") == UNCLEAR
    assert visited == []


def drip(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 8000\r\n\r\n")
    for _ in range(200):
        connection.sendall(b"V")
        time.sleep(0.05)


@pytest.mark.parametrize("answer", [lambda connection: time.sleep(3), drip], ids=["silence", "a drip"])
def test_waiting_ends(at: Callable[[str], None], answer: Callable[[socket.socket], None]) -> None:
    with serving(answer) as (port, _):
        at(f"http://127.0.0.1:{port}")
        assert Paypal(0.4).verify("live", b"a=1") == UNCLEAR


def test_an_answer_without_end_is_cut(at: Callable[[str], None]) -> None:
    with serving(say(b"HTTP/1.1 200 OK\r\n\r\n" + b"V" * (1 << 20))) as (port, _):
        at(f"http://127.0.0.1:{port}")
        assert Paypal(5).verify("live", b"a=1") == UNCLEAR


def test_nobody_at_home_is_unclear(at: Callable[[str], None]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    at(f"http://127.0.0.1:{port}")
    assert Paypal(2).verify("live", b"a=1") == UNCLEAR
    with pytest.raises(PaypalFailed, match="no clear answer"):
        Paypal(2).call("live", "GET", "/v1/x", "Bearer x", b"")


def certificate(folder: Path, name: str) -> ssl.SSLContext:
    """A server with a certificate of its own making."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key, now = ec.generate_private_key(ec.SECP256R1()), dt.datetime.now(dt.UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
        .serial_number(1).not_valid_before(now).not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


@pytest.mark.parametrize(("name", "trusted", "verdict"), [
    ("localhost", True, VERIFIED), ("localhost", False, UNCLEAR), ("ipnpb.paypal.com", True, UNCLEAR),
], ids=["right", "unknown authority", "another name"])  # fmt: skip
def test_certificate_and_name_are_checked(
    at: Callable[[str], None], tmp_path: Path, name: str, trusted: bool, verdict: str
) -> None:
    context = certificate(tmp_path, name)
    ours = ssl.create_default_context(cafile=str(tmp_path / "cert.pem")) if trusted else None
    with serving(say(GOOD), context) as (port, seen):
        at(f"https://localhost:{port}")
        assert Paypal(2, ours).verify("live", b"a=1") == verdict
    assert seen == ([ASKED] if verdict == VERIFIED else []), "nothing is said to a stranger"


def test_everywhere_but_on_the_local_stage_paypals_hosts_are_constants(monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = replace(gateway.settings, stage="prod", paypal_local_url="http://127.0.0.1:9")
    monkeypatch.setattr(gateway, "settings", elsewhere)
    paypal = Paypal()
    assert paypal.postback_url("live") == "https://ipnpb.paypal.com/cgi-bin/webscr"
    assert paypal.postback_url("sandbox") == "https://ipnpb.sandbox.paypal.com/cgi-bin/webscr"
    assert gateway.form_action("live") == "https://www.paypal.com/cgi-bin/webscr"
    assert gateway.form_action("sandbox") == "https://www.sandbox.paypal.com/cgi-bin/webscr"
    assert (paypal.rest_url("live"), paypal.rest_url("sandbox")) == (
        "https://api-m.paypal.com",
        "https://api-m.sandbox.paypal.com",
    )
    assert gateway.origins() == ("https://www.paypal.com", "https://www.sandbox.paypal.com")
    with pytest.raises(KeyError):
        paypal.postback_url("evil.example")


def test_nothing_leaves_another_stage_without_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "settings", replace(gateway.settings, stage="prod"))
    with serving(say(GOOD)) as (port, seen):
        monkeypatch.setitem(gateway.POSTBACK, "live", f"http://127.0.0.1:{port}/cgi-bin/webscr")
        assert Paypal(2).verify("live", b"a=1") == UNCLEAR
    assert seen == []


def test_a_proxy_of_the_environment_is_not_asked(at: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(say(GOOD)) as (proxy, asked), serving(say(GOOD)) as (port, _):
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy}")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        at(f"http://127.0.0.1:{port}")
        assert Paypal(2).verify("live", b"a=1") == VERIFIED
    assert asked == []


@pytest.mark.parametrize(("context", "expected"), [
    ({"domainName": "abc.execute-api.us-east-1.amazonaws.com", "path": "/api/v1/paypal", "resourcePath": "/v1/paypal"},
     "https://abc.execute-api.us-east-1.amazonaws.com/api"),
    ({"domainName": "pay.voix.example", "path": "/v1/dids/x/order/", "resourcePath": "/v1/dids/{number}/order"},
     "https://pay.voix.example"),
    ({"domainName": "pay.voix.example", "path": "/a/b/pay/x", "resourcePath": "/pay/{intent}"},
     "https://pay.voix.example/a/b"),
])  # fmt: skip
def test_links_are_made_of_what_the_gateway_says_and_not_of_the_callers_host(
    monkeypatch: pytest.MonkeyPatch, context: dict[str, Any], expected: str
) -> None:
    from chalicelib.web import urls

    class Request:
        headers = {"host": "evil.example"}

    Request.context = context  # type: ignore[attr-defined]
    monkeypatch.setattr(urls, "settings", replace(urls.settings, stage="prod"))
    assert urls.base_url(Request()) == expected
    monkeypatch.setattr(urls, "settings", replace(urls.settings, public_url="https://api.voix.example"))
    assert urls.base_url(Request()) == "https://api.voix.example"
