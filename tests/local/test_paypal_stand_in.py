"""The stand-in for PayPal: it behaves as PayPal does where the product depends on it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qsl

import pytest

from local.paypal import messages
from local.paypal.books import NoSuchThing
from local.paypal.sender import Habits
from local.paypal.server import StandIn

FORM = {"business": "shop@voix.example", "amount": "25.00", "currency_code": "USD", "invoice": "i1", "custom": "c",
        "charset": "utf-8", "item_name": "Account deposit"}  # fmt: skip
Got = list[tuple[bytes, str]]


@pytest.fixture
def paypal() -> Iterator[StandIn]:
    listening = socket.create_server(("127.0.0.1", 0))
    standin = StandIn(listening)
    standin.start()
    yield standin
    standin.stop()


@pytest.fixture
def listener() -> Iterator[tuple[str, Got, list[int]]]:
    """A listener: its URL, what it got, and the statuses that it answers (200 when they are used up)."""
    got, statuses = Got(), list[int]()

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append((self.rfile.read(int(self.headers["Content-Length"])), self.headers["User-Agent"]))
            self.send_response(statuses.pop(0) if statuses else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/ipn", got, statuses
    server.shutdown()
    server.server_close()


def test_a_message_is_sent_again_after_any_answer_but_200_and_then_no_more(paypal: StandIn, listener: Any) -> None:
    url, got, statuses = listener
    statuses += [503, 500, 204, 302]
    paypal.books.sender.habits = Habits(retry_seconds=0.01)
    paypal.books.pay("live", FORM | {"notify_url": url})
    paypal.books.sender.settle()
    assert paypal.books.sender.answers == [503, 500, 204, 302, 200]
    assert len({body for body, _ in got}) == 1
    assert {agent for _, agent in got} == {"PayPal IPN ( https://www.paypal.com/ipn )"}


def test_copies_come_when_they_are_asked_for_and_every_one_is_known(paypal: StandIn, listener: Any) -> None:
    url, got, _ = listener
    paypal.books.sender.habits = Habits(copies=3, delay_seconds=0.05)
    made = paypal.books.pay("sandbox", FORM | {"notify_url": url})
    paypal.books.move(made.txn_id, "refund", "10.00")
    paypal.books.sender.settle()
    assert len(got) == 6
    for body, _ in got:
        assert (
            paypal.respond("POST", "/sandbox/cgi-bin/webscr", {}, b"cmd=_notify-validate&" + body).body == b"VERIFIED"
        )
        for other in (body + b"&", body.replace(b"+", b"%20"), body.replace(b"&payment_gross=", b"")):
            asked = b"cmd=_notify-validate&" + other
            assert paypal.respond("POST", "/sandbox/cgi-bin/webscr", {}, asked).body == b"INVALID"
        assert paypal.respond("POST", "/live/cgi-bin/webscr", {}, b"cmd=_notify-validate&" + body).body == b"INVALID"


def test_its_messages_have_the_marks_that_the_product_must_not_trip_over(paypal: StandIn) -> None:
    paypal.books.sender.habits = Habits(deliver=False)
    made = paypal.books.pay("sandbox", FORM)
    told = [dict(parse_qsl(raw.decode(), keep_blank_values=True)) for _, raw in paypal.books.sent]
    [payment] = told
    assert payment["txn_type"] == "web_accept" and payment["test_ipn"] == "1" and payment["payment_gross"] == ""
    refund = messages.change(made.message, "Refunded", "-10.00", "refund")
    assert "txn_type" not in refund and refund["parent_txn_id"] == made.txn_id != refund["txn_id"]
    case = messages.case(made.message, "dispute")
    assert case["txn_id"] == made.txn_id and "mc_gross" not in case
    settled = messages.adjustment(made.message, "-25.00")
    assert settled["payment_status"] == "Completed" and not {"receiver_id", "business", "invoice"} & set(settled)


def test_an_invoice_is_paid_once_as_accounts_are_set_by_default(paypal: StandIn) -> None:
    paypal.books.sender.habits = Habits(deliver=False)
    paypal.books.pay("live", FORM)
    with pytest.raises(NoSuchThing, match="already been paid"):
        paypal.books.pay("live", FORM)
    page = paypal.respond("POST", "/live/pay", {}, b"invoice=i1")
    assert page.status == 409


def test_its_pages_show_words_and_never_markup(paypal: StandIn) -> None:
    page = paypal.respond("POST", "/live/cgi-bin/webscr", {}, b"cmd=_xclick&item_name=%3Cb%3E%22&return=%22%3E%3Cb%3E")
    assert b"<b>" not in page.body and b"&lt;b&gt;" in page.body
    assert paypal.respond("GET", "/", {}, b"").status == 200
    assert paypal.respond("POST", "/control/nothing", {}, b"").status == 409
    assert paypal.respond("POST", "/control/move", {"content-type": "application/json"},
                          b'{"txn_id": "x", "what": "refund"}').status == 409  # fmt: skip
