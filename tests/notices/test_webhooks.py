"""Webhooks over the API: made, listed, turned, deleted; nobody else's."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest


@pytest.fixture
def other(operator: Any) -> Any:
    made = operator.made("/v1/resellers", {"name": "Other", "email": "b@other.example"})
    return operator.with_key(made["api_key"])


def test_a_secret_is_shown_once(reseller: Any) -> None:
    made = reseller.made("/v1/webhooks", {"url": "https://example.com/hook", "events": ["batch.rejects"]})
    assert made["secret"].startswith("whsec_")
    (seen,) = reseller.get("/v1/webhooks").json["items"]
    assert seen == {name: value for name, value in made.items() if name != "secret"}
    assert seen["events"] == ["batch.rejects"]


def test_a_repeat_with_the_same_key_makes_one_and_hides_the_secret(reseller: Any) -> None:
    sent = {"url": "https://example.com/hook"}
    first, second = (reseller.post("/v1/webhooks", sent, headers={"idempotency-key": "w1"}) for _ in range(2))
    assert second.json == {**first.json, "secret": None}
    assert len(reseller.get("/v1/webhooks").json["items"]) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "url"),
        ({"url": "http://example.com/"}, "url"),
        ({"url": "https://10.0.0.1/"}, "url"),
        ({"url": "https://example.com/" + "x" * 2000}, "url"),
        ({"url": "https://example.com/", "events": []}, "events"),
        ({"url": "https://example.com/", "events": ["client.exploded"]}, "events.0"),
        ({"url": "https://example.com/", "secret": "mine"}, "secret"),
    ],
)
def test_what_cannot_be_is_refused_by_name(reseller: Any, body: dict[str, Any], field: str) -> None:
    reply = reseller.post("/v1/webhooks", body)
    assert reply.status == 422
    assert reply.json["errors"][0]["field"] == field


def test_there_are_ten_at_most(reseller: Any) -> None:
    for number in range(10):
        reseller.made("/v1/webhooks", {"url": f"https://example.com/{number}"})
    assert reseller.post("/v1/webhooks", {"url": "https://example.com/11"}).status == 409


def test_there_are_ten_at_most_also_when_many_come_at_once(reseller: Any) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(
            pool.map(lambda n: reseller.post("/v1/webhooks", {"url": f"https://e.example/{n}"}).status, range(16))
        )
    assert sorted(found) == [201] * 10 + [409] * 6


def test_a_stranger_neither_turns_nor_deletes_nor_looks(reseller: Any, other: Any) -> None:
    made = reseller.made("/v1/webhooks", {"url": "https://example.com/hook"})
    assert other.post(f"/v1/webhooks/{made['id']}/rotate").status == 404
    assert other.delete(f"/v1/webhooks/{made['id']}").status == 404
    assert other.get(f"/v1/deliveries?webhook_id={made['id']}").status == 404
    assert reseller.delete(f"/v1/webhooks/{made['id']}").status == 204
    assert reseller.get("/v1/webhooks").json["items"] == []


def test_changes_are_on_the_trail(reseller: Any) -> None:
    made = reseller.made("/v1/webhooks", {"url": "https://example.com/hook"})
    reseller.post(f"/v1/webhooks/{made['id']}/rotate")
    reseller.delete(f"/v1/webhooks/{made['id']}")
    reseller.put("/v1/notifications", {"clients": [], "reseller": ["batch.failed"]})
    items = reseller.get("/v1/audit").json["items"]
    kinds = [one["kind"] for one in items if one["kind"].split(".")[0] in ("webhook", "notifications")]
    assert kinds == ["notifications.changed", "webhook.deleted", "webhook.secret_rotated", "webhook.created"]
    (reseller_wish,) = [one for one in items[0]["changes"] if one["field"] == "reseller"]
    assert reseller_wish["new"] == ["batch.failed"] and len(reseller_wish["old"]) == 6
