"""The hourly work on the whole local stack: the clock, a queue, the worker, the ledger; with dates to pretend."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from chalicelib import periods
from local.schedule import ScheduleFailed
from local.stack import Stack

ROOT = Path(__file__).resolve().parents[2]
# Near the present: months that are over by the pretended date are closed too, each ledger's each.
NEXT = periods.next_month(datetime.now(UTC).strftime("%Y-%m"))
LATER = [NEXT, periods.next_month(NEXT), periods.next_month(periods.next_month(NEXT))]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    settings = {"FORFAIT_RETRY_SECONDS": "0", "FORFAIT_OPERATOR_KEY": "", "FORFAIT_SIGNING_KEY": ""}
    with Stack(tmp_path_factory.mktemp("hourly"), settings=settings) as running:
        yield running


def ask(stack: Stack, method: str, path: str, key: str, body: Any = None) -> Any:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(stack.url + path, data, headers, method=method)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20) as answer:
        return json.load(answer)


def shop(stack: Stack) -> tuple[str, str, str]:
    """A key, a client whose sub-account costs 10.00 from the 28th of next month on, and the reseller's id."""
    body = {"name": "Voix", "email": "a@voix.example", "currency": "USD", "time_zone": "America/Toronto"}
    reseller = ask(stack, "POST", "/v1/resellers", stack.operator_key, body)
    key = reseller["api_key"]
    package = ask(stack, "POST", "/v1/packages", key, {"name": "Gold", "monthly_fee": "10"})
    client = ask(stack, "POST", "/v1/clients", key, {"company": "Acme"})
    named = {"username": "desk", "client_id": client["id"], "package_id": package["id"]}
    ask(stack, "POST", "/v1/subaccounts", key, {**named, "next_billing_date": f"{NEXT}-28"})
    return key, client["id"], reseller["id"]


def noon(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T12:00:00+00:00")


def months(stack: Stack, key: str, client_id: str) -> list[str]:
    items = ask(stack, "GET", f"/v1/clients/{client_id}/ledger", key)["items"]
    return [item["usage_month"] for item in items]


def test_the_hourly_schedule_bills_through_the_queue_before_it_returns(stack: Stack) -> None:
    key, client_id, _ = shop(stack)
    told = stack.run_schedule("hourly", noon(f"{NEXT}-27"))
    assert (told["queue"], months(stack, key, client_id)) == ("forfait-local-hourly", [])
    for _ in range(2):
        stack.run_schedule("hourly", noon(f"{NEXT}-28"))
        assert months(stack, key, client_id) == [NEXT]


def test_the_command_pretends_a_date_and_catches_up(stack: Stack) -> None:
    key, client_id, _ = shop(stack)
    environ = os.environ | {"FORFAIT_STATE": str(stack.folder.path)}
    command = [sys.executable, "-m", "local", "schedule", "hourly", "--at", f"{LATER[-1]}-28T12:00:00Z"]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["messages"] >= 1
    assert months(stack, key, client_id) == LATER[::-1]


def test_a_schedule_that_returns_nothing_says_that_it_is_done(stack: Stack) -> None:
    environ = os.environ | {"FORFAIT_STATE": str(stack.folder.path)}
    command = [sys.executable, "-m", "local", "schedule", "rescan"]
    assert subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=True).stdout == "done\n"


def test_what_cannot_be_billed_fails_the_command(stack: Stack) -> None:
    key, client_id, reseller_id = shop(stack)
    table = stack.environment()["FORFAIT_TABLE"]
    where = {"pk": {"S": f"R#{reseller_id}"}, "sk": {"S": f"CLIENT#{client_id}"}}
    dynamodb = stack.client("dynamodb")
    client = dynamodb.get_item(TableName=table, Key=where)["Item"]
    dynamodb.delete_item(TableName=table, Key=where)
    with pytest.raises(ScheduleFailed, match="1 messages of forfait-local-hourly failed every time"):
        stack.run_schedule("hourly", noon(f"{NEXT}-28"))
    assert "could not be billed" in stack.folder.log.read_text()
    dynamodb.put_item(TableName=table, Item=client)
    stack.run_schedule("hourly", noon(f"{NEXT}-28"))
    assert months(stack, key, client_id) == [NEXT]
