"""What PayPal moves, as the rest of the product sees it: notices, calls, months, and clients that come and go."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from paypal_shop import Shop, open_shop

from chalicelib.accounts.ledger import months
from chalicelib.accounts.ledger.posting import get_client
from chalicelib.aws.transactions import Scope
from chalicelib.notices.service import fanout
from local.paypal import messages


def take_back(shop: Shop, amount: str, status: str = "Reversed") -> None:
    assert shop.send(messages.change(shop.good, status, f"-{amount}", "chargeback")) == 200


def told(shop: Shop) -> list[str]:
    """Every delivery so far, oldest first, as "kind -> whom"."""
    fanout.take_all(Scope("system:notices", int(time.time())))
    items = shop.api.get("/v1/deliveries?limit=200").json["items"]
    return sorted(f"{item['event']} -> {item['to']}" for item in items)


def test_who_is_told_of_what_paypal_gives_and_takes(reseller: Any, paypal: Any) -> None:
    shop = open_shop(reseller, paypal, balance_mode="strict", low_balance_threshold="10", email="c@client.example")
    shop.send(shop.good)
    resumed = ["client.resumed -> client", "client.resumed -> reseller"]
    assert told(shop) == resumed
    take_back(shop, "16.00")
    low = ["client.low_balance -> client", "client.low_balance -> reseller"]
    assert told(shop) == low + resumed
    take_back(shop, "9.00")
    suspended = ["client.suspended -> client", "client.suspended -> reseller"]
    assert told(shop) == low + resumed + suspended
    take_back(shop, "5.00", "Refunded")
    assert told(shop) == low + resumed + suspended, "told once, and nothing was left to take"


def test_a_closed_client_is_not_written_to_when_paypal_takes_its_money_back(reseller: Any, paypal: Any) -> None:
    shop = open_shop(reseller, paypal, balance_mode="strict", email="c@client.example")
    shop.send(shop.good)
    assert reseller.delete(f"/v1/clients/{shop.client_id}").status == 204
    before = told(shop)
    take_back(shop, "25.00")
    assert sorted(set(told(shop)) - set(before)) == ["client.suspended -> reseller"]


def test_a_chargeback_ends_the_calls_that_the_deposit_paid_for(reseller: Any, paypal: Any) -> None:
    shop = open_shop(reseller, paypal, balance_mode="strict")
    package = reseller.made("/v1/packages", {"name": "At cost"})["id"]
    account = {"username": "alice", "client_id": shop.client_id, "package_id": package}
    reseller.made("/v1/subaccounts", account)

    def reason() -> str:
        # A number inside costs nothing, so no deck decides here.
        return str(reseller.made("/v1/authorizations", {"account": "alice", "number": "100"})["reason"])

    assert reason() == "suspended"
    shop.send(shop.good)
    assert reason() == "ok"
    take_back(shop, "25.00")
    assert reason() == "suspended"


def test_a_client_that_waits_gets_no_deposit_and_what_was_begun_still_counts(shop: Shop) -> None:
    from chalicelib.accounts.store.owners import Client

    get_client(shop.reseller_id, shop.client_id).update(actions=[Client.status.set("waiting")])
    refused = shop.api.post(f"/v1/clients/{shop.client_id}/deposits", {"amount": "25"})
    assert refused.status == 409 and "waits to be let in" in refused.text
    shop.send(shop.good)
    assert shop.ledger() == ["deposit 25.00"]


def test_what_is_taken_back_after_the_month_was_closed_is_counted_in_the_next_one(shop: Shop) -> None:
    shop.send(shop.good)
    path = f"/v1/clients/{shop.client_id}/ledger"
    [deposit] = shop.api.get(path).json["items"]
    month = deposit["period"]
    closed = months.close(Scope("test", int(time.time())), partial(get_client, shop.reseller_id, shop.client_id), month)
    take_back(shop, "5.00")
    take_back(shop, "7.00", "Refunded")
    entries = shop.api.get(path).json["items"]
    assert [entry["kind"] for entry in entries] == ["refund", "chargeback", "deposit"]
    assert [entry["usage_month"] for entry in entries] == [month] * 3
    assert [entry["period"] > month for entry in entries] == [True, True, False]
    again = months.close(Scope("test", int(time.time())), partial(get_client, shop.reseller_id, shop.client_id), month)
    assert dict(again.closing) == dict(closed.closing) and again.posted == {"deposit": 25_00000000}
    assert shop.balance() == "13.00"
