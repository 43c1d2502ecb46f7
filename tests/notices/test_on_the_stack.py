"""The whole way on the local stack: a payment over HTTP, the schedule, a program and a mailbox at the other end."""

from __future__ import annotations

import json
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from receiver import receiving

from local.stack import Stack

pytestmark = pytest.mark.system

DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def call(stack: Stack, key: str, path: str, body: Any = None) -> Any:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    with DIRECT.open(urllib.request.Request(stack.url + path, data, headers), timeout=60) as answer:
        return json.load(answer)


def test_a_notice_leaves_the_local_stack_also_after_a_restart(tmp_path: Path) -> None:
    stack = Stack(tmp_path)
    with receiving() as receiver, stack:
        key = call(stack, stack.operator_key, "/v1/resellers", {"name": "Voix", "email": "a@voix.example"})["api_key"]
        call(stack, key, "/v1/webhooks", {"url": receiver.url})
        body = {"balance_mode": "strict", "email": "ana@acme.example", "first_name": "Ana", "language": "es"}
        client = call(stack, key, "/v1/clients", body)["id"]
        call(stack, key, f"/v1/clients/{client}/payments", {"amount": "12.5"})
        # What waits survives a clean stop and a start; the mailbox of the emulated SES begins empty again.
        stack.stop()
        stack.start()
        stack.run_schedule("send_notices", datetime.now(UTC))
        (told,) = receiver.told
        assert told["data"] == {"client_id": client, "balance": "12.50", "threshold": None}
        with DIRECT.open(f"{stack.aws_endpoint}/_ministack/ses/messages") as answer:
            letters = [one for rows in json.load(answer)["messages"].values() for one in rows]
        assert {(one["To"][0], one["Subject"]) for one in letters} == {
            ("ana@acme.example", "Voix: su servicio está restablecido"),
            ("a@voix.example", "Resumed: Ana"),
        }
        found = call(stack, key, "/v1/deliveries")["items"]
        assert {one["status"] for one in found} == {"delivered"} and len(found) == 3
