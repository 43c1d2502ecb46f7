"""100,000 lines through the local stack: dropped twice and sent again under another name, they are billed once."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from chalicelib.money import parse_amount
from local.stack import Stack

pytestmark = pytest.mark.system

LINES, CLIENTS = 100_000, 20
BAD, DUPLICATES = LINES // 100, LINES // 20


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(Path(tmp_path_factory.mktemp("state"))) as running:
        yield running


def call(stack: Stack, key: str, method: str, path: str, body: Any = None) -> Any:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(stack.url + path, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def file_of_calls() -> tuple[bytes, int]:
    """The file, and what all clients together owe for it at 0.012 a minute 60/60, in 1e-8."""
    rows, owed = ["call_id,start,direction,account,from,to,disposition,seconds"], 0
    for n in range(LINES - BAD - DUPLICATES):
        seconds = n % 600
        minute = f"2026-10-{1 + n % 28:02d}T{n % 24:02d}:{n % 60:02d}:00Z"
        number = f"+1416{2_000_000 + n}"
        rows.append(f"id-{n},{minute},outbound,user{n % CLIENTS},+14165550199,{number},ANSWERED,{seconds}")
        owed += -(-seconds // 60) * 1_200_000
    rows += [rows[1 + n * 7] for n in range(DUPLICATES)]
    rows += [f"bad-{n},2026-10-01T00:00:00Z,outbound,user1,+14165550199,+14165550100,ANSWERED,x" for n in range(BAD)]
    return "\n".join(rows).encode(), owed


def done(stack: Stack, key: str, count: int) -> list[Any]:
    until = time.monotonic() + 240
    while time.monotonic() < until:
        batches = call(stack, key, "GET", "/v1/batches")["items"]
        if len(batches) == count and all(batch["status"] == "done" for batch in batches):
            return list(batches)
        time.sleep(0.2)
    raise AssertionError(f"not done in time: {batches}")


def test_a_file_dropped_twice_and_resent_bills_once_and_the_books_add_up(stack):
    operator = stack.operator_key
    s3 = stack.client("s3")
    deck = b"prefix,destination,rate_per_minute,initial,increment\n1416,Toronto,0.01,60,60\n"
    s3.put_object(Bucket="forfait-local", Key="incoming/decks/value/2026-01-01.csv", Body=deck)
    made = call(stack, operator, "POST", "/v1/resellers", {"name": "Voix", "email": "a@voix.example"})
    key = made["api_key"]
    package = call(stack, key, "POST", "/v1/packages", {"name": "20 %", "markup_percent": "20"})
    for n in range(CLIENTS):
        client = call(stack, key, "POST", "/v1/clients", {"company": f"client {n}"})
        body = {"username": f"user{n}", "client_id": client["id"], "package_id": package["id"]}
        call(stack, key, "POST", "/v1/subaccounts", body)
    body, owed = file_of_calls()
    prefix = f"incoming/cdr/{made['id']}/"
    s3.put_object(Bucket="forfait-local", Key=prefix + "october.csv", Body=body)
    (first,) = done(stack, key, 1)
    counts = {name: first[name] for name in ("lines", "rated", "rejected", "duplicates")}
    rated = LINES - BAD - DUPLICATES
    assert counts == {"lines": LINES, "rated": rated, "rejected": BAD, "duplicates": DUPLICATES}

    def balances() -> list[str]:
        return [client["balance"] for client in call(stack, key, "GET", "/v1/clients?limit=200")["items"]]

    before = balances()
    s3.put_object(Bucket="forfait-local", Key=prefix + "october.csv", Body=body)
    s3.put_object(Bucket="forfait-local", Key=prefix + "october again.csv", Body=body)
    for batch in done(stack, key, 3):
        assert batch["lines"] == batch["rated"] + batch["rejected"] + batch["duplicates"] == LINES
        assert batch["rated"] in (0, rated)
    assert balances() == before
    assert -sum(parse_amount(text) for text in before) == owed
    # Raises when anything in the books differs.
    stack.run_schedule("reconcile", datetime.now(UTC))
