"""A caller of the API over real HTTP that notes where it has been and is strict about what comes back."""

from __future__ import annotations

import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from email.message import Message
from typing import Any
from urllib.parse import urlencode

_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
MONEY = re.compile(r"-?\d+\.\d{2,}")
MONEY_FIELDS = {"amount", "balance", "balance_after", "cost", "revenue", "monthly", "setup", "monthly_fee", "setup_fee"}
MONEY_FIELDS |= {"credit_limit", "low_balance_threshold", "connection_fee", "minimum_charge", "rate_per_minute"}
MONEY_FIELDS |= {"markup_fixed", "markup_percent", "per_minute"}


@dataclass(frozen=True)
class Reply:
    """An HTTP answer, read whole."""

    status: int
    headers: Message
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body, parse_float=_no_float)


@dataclass(frozen=True)
class Caller:
    """Calls ``url`` with ``key``; ``been`` holds method and path of every call that succeeded."""

    url: str
    key: str = ""
    been: set[tuple[str, str]] = field(default_factory=set)

    def holding(self, key: str) -> Caller:
        return replace(self, key=key)

    def send(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None, **query: object
    ) -> Reply:
        """One request; a ``body`` of bytes goes as it is, anything else as JSON."""
        sent = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if data is not None:
            sent["Content-Type"] = "application/json"
        target = self.url + path + (f"?{urlencode(query)}" if query else "")
        reply = exchange(urllib.request.Request(target, data, {**sent, **(headers or {})}, method=method))
        if reply.status < 300:
            self.been.add((method, path))
        return reply

    def call(self, status: int, method: str, path: str, body: Any = None, **query: object) -> Any:
        """One request that must answer ``status``; its JSON, looked over, or ``None`` without a body."""
        reply = self.send(method, path, body, **query)
        assert reply.status == status, f"{method} {path}: {reply.status} {reply.body.decode()}"
        if status >= 400:
            return problem(reply, status)
        assert reply.headers["Cache-Control"] == "no-store" or path == "/v1/openapi.json"
        if status == 204:
            assert reply.body == b""
            return None
        assert reply.headers["Content-Type"] == "application/json"
        check_money(reply.json)
        return reply.json

    def get(self, path: str, **query: object) -> Any:
        return self.call(200, "GET", path, **query)

    def post(self, path: str, body: Any, status: int = 201) -> Any:
        return self.call(status, "POST", path, body)

    def put(self, path: str, body: Any) -> Any:
        return self.call(200, "PUT", path, body)

    def patch(self, path: str, body: Any) -> Any:
        return self.call(200, "PATCH", path, body)

    def delete(self, path: str) -> None:
        assert self.call(204, "DELETE", path) is None

    def pages(self, path: str, **query: object) -> list[Any]:
        """Every item of a list, asked for one by one; a page is exactly ``items`` and ``next`` (and ``totals``)."""
        items, cursor = [], None
        while True:
            page = self.get(path, limit=1, **query, **({"cursor": cursor} if cursor else {}))
            assert page.keys() - {"totals"} == {"items", "next"}
            assert len(page["items"]) <= 1
            items += page["items"]
            cursor = page["next"]
            if cursor is None:
                return items

    def upload(self, data: bytes, **wanted: str) -> str:
        """Put a file by a presigned URL; its key."""
        place = self.post("/v1/uploads", wanted)
        assert place.keys() == {"url", "method", "headers", "key"}
        assert place["method"] == "PUT"
        assert exchange(urllib.request.Request(place["url"], data, place["headers"], method="PUT")).status == 200
        return str(place["key"])


def exchange(request: urllib.request.Request) -> Reply:
    try:
        with _direct.open(request, timeout=60) as answer:
            return Reply(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return Reply(error.code, error.headers, error.read())


def download(url: str) -> str:
    reply = exchange(urllib.request.Request(url))
    assert reply.status == 200
    return reply.body.decode()


def problem(reply: Reply, status: int) -> Any:
    """The body of an error, which has exactly these fields everywhere."""
    assert reply.headers["Content-Type"] == "application/problem+json"
    found = reply.json
    assert found.keys() == {"type", "title", "status", "detail", "errors"}
    assert found["status"] == reply.status == status
    assert found["title"]
    assert found["detail"]
    assert all(error.keys() == {"field", "message"} for error in found["errors"])
    return found


def fields_of(problem: Any) -> list[str]:
    """The fields that a 422 names."""
    return [error["field"] for error in problem["errors"]]


def check_money(found: Any) -> None:
    """Money is a decimal string with at least two decimals and no trailing zeros beyond, wherever it stands."""
    if isinstance(found, list):
        for item in found:
            check_money(item)
    elif isinstance(found, dict):
        # ``columns`` are titles and places of a file's columns, not amounts; a change of them is in the trail.
        kept = {} if found.get("field") == "columns" else {**found, "columns": None}
        for name, value in kept.items():
            if name in MONEY_FIELDS and not isinstance(value, dict) and value is not None:
                assert isinstance(value, str), (name, value)
                assert MONEY.fullmatch(value), (name, value)
                assert len(value.partition(".")[2]) == 2 or not value.endswith("0"), (name, value)
            check_money(value)


def wait_for(look: Callable[[], Any]) -> Any:
    """What ``look`` finds, as soon as it finds something."""
    deadline = time.monotonic() + 60
    while not (found := look()):
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)
    return found


def _no_float(text: str) -> Any:
    raise AssertionError(f"the answer holds a JSON number with a fraction: {text}")
