"""The stand-in behind one port.

``/<environment>/cgi-bin/webscr`` is PayPal's own address for two things: a browser brings the button's form there, and
a listener asks about a message. ``/`` shows what was paid; ``/control/...`` turns the switches.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from local.paypal import pages
from local.paypal.books import Books, NoSuchThing
from local.paypal.rest import Rest
from local.wire import Answer, Handler, Server, problem

_POSTBACK = b"cmd=_notify-validate&"
_TEXT = (("Content-Type", "text/html; charset=UTF-8"),)
ENVIRONMENTS = ("live", "sandbox")
_HTML = b"<html><body>Fatal Failure <br></body></html>"


@dataclass
class Mood:
    """How questions about messages are answered: ``normal`` answers truthfully."""

    name: str = "normal"
    slow_seconds: float = 30.0

    NAMES = ("normal", "VERIFIED", "INVALID", "slow", "broken", "html", "redirect", "error", "newline")


@dataclass
class StandIn:
    """PayPal on a listening loopback socket. ``asked`` holds every question about a message, as its bytes."""

    sock: socket.socket
    books: Books = field(default_factory=Books)
    mood: Mood = field(default_factory=Mood)
    asked: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        outer = self
        self.rest = Rest(self.books)

        class StandInHandler(Handler):
            def answer(self, body: bytes) -> Answer:
                if self.command == "POST" and body.startswith(_POSTBACK) and outer.mood.name == "broken":
                    self.close_connection = True
                    self.connection.close()
                    raise ConnectionResetError
                headers = {name.lower(): value for name, value in self.headers.items()}
                return outer.respond(self.command, self.path, headers, body)

        self._server = Server(self.sock, StandInHandler)
        self.url = self._server.url
        self.rest.url = self.url
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="paypal", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.books.sender.stop()
        self._server.shutdown()
        self._server.server_close()

    def respond(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        """The answer to one request."""
        parts = urlsplit(target)
        first, _, rest = parts.path.strip("/").partition("/")
        try:
            if first in ENVIRONMENTS:
                return self._paypal(first, method, rest, parts.query, headers, body)
            if first == "control" and method == "POST":
                return self._control(rest, headers, body)
            return pages.overview(self.books.paid.values()) if not first else problem(404, "There is nothing here.")
        except NoSuchThing as refusal:
            return pages.page("Not possible", f"<p>{refusal}</p>", 409)

    def _paypal(
        self, environment: str, method: str, path: str, query: str, headers: dict[str, str], body: bytes
    ) -> Answer:
        if path == "cgi-bin/webscr" and body.startswith(_POSTBACK):
            return self._postback(environment, body)
        form = dict(parse_qsl(body.decode() if method == "POST" else query, keep_blank_values=True))
        if path == "cgi-bin/webscr":
            return pages.checkout(environment, form)
        if path == "pay":
            status = form.pop("stand_in_status", "Completed")
            made = self.books.pay(environment, form, status)
            back = form.get("return", "")
            return pages.see_other(back) if back else pages.page("Paid", f"<p>{made.txn_id}</p>")
        if path in ("checkoutnow", "approve"):
            return self.rest.browser(environment, path, form)
        return self.rest.respond(environment, method, path, headers, body)

    def _postback(self, environment: str, body: bytes) -> Answer:
        self.asked.append(body)
        known = self.books.knows(environment, body[len(_POSTBACK) :])
        truth = Answer(200, b"VERIFIED" if known else b"INVALID", _TEXT)
        moods: dict[str, Callable[[], Answer]] = {
            "VERIFIED": lambda: Answer(200, b"VERIFIED", _TEXT),
            "INVALID": lambda: Answer(200, b"INVALID", _TEXT),
            "html": lambda: Answer(200, _HTML, _TEXT),
            "newline": lambda: Answer(200, b"VERIFIED\n", _TEXT),
            "error": lambda: Answer(500, b"VERIFIED", _TEXT),
            "redirect": lambda: Answer(302, b"", (("Location", f"{self.url}/live/always-verified"),)),
        }
        if self.mood.name == "slow":
            time.sleep(self.mood.slow_seconds)
        return moods.get(self.mood.name, lambda: truth)()

    def _control(self, what: str, headers: dict[str, str], body: bytes) -> Answer:
        """``mood``, ``habits`` (see ``sender.Habits``), ``move``, ``approve``: JSON, or a form of the overview."""
        if headers.get("content-type", "").startswith("application/json"):
            fields = json.loads(body or b"{}")
        else:
            fields = dict(parse_qsl(body.decode()))
        if what == "mood":
            if fields.get("name") not in Mood.NAMES:
                raise NoSuchThing(f"A mood is one of {', '.join(Mood.NAMES)}.")
            self.mood = Mood(**fields)
        elif what == "habits":
            for name, value in fields.items():
                setattr(self.books.sender.habits, name, value)
        elif what == "move":
            self.books.move(fields["txn_id"], fields["what"], fields.get("amount", ""))
        elif what == "approve":
            self.rest.approve(fields["order_id"])
        elif what == "payments":
            listed = [one.message | {"environment": one.environment} for one in self.books.paid.values()]
            return Answer(200, json.dumps(listed).encode())
        else:
            raise NoSuchThing(f"There is no switch {what!r}.")
        return pages.see_other("/") if "json" not in headers.get("content-type", "") else Answer(200, b"{}")
