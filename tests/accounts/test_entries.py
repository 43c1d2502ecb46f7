"""Entries over the API: payments, charges, reversals, and a ledger that adds up under threads."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from chalicelib.accounts.store.ledger import Month
from chalicelib.money import format_amount, parse_amount


def entries(api: Any, path: str) -> list[dict[str, Any]]:
    """The whole ledger, oldest first."""
    found: list[dict[str, Any]] = []
    cursor = ""
    while cursor is not None:
        page = api.get(f"{path}/ledger?limit=200{cursor and '&cursor=' + cursor}").json
        found += page["items"]
        cursor = page["next"]
    return found[::-1]


@pytest.fixture
def path(client: dict[str, Any]) -> str:
    return f"/v1/clients/{client['id']}"


def test_a_payment_adds_and_a_charge_takes_away(reseller: Any, path: str) -> None:
    payment = reseller.made(f"{path}/payments", {"amount": "10", "description": "Cheque 7"})
    charge = reseller.made(f"{path}/charges", {"amount": "0.00000001"})
    assert (payment["kind"], payment["amount"], payment["description"]) == ("payment", "10.00", "Cheque 7")
    assert (charge["kind"], charge["amount"], charge["balance_after"]) == ("charge", "-0.00000001", "9.99999999")
    assert payment["actor"] == f"key:{reseller.key.split('_')[1]}"
    assert payment["period"] == payment["usage_month"]
    assert payment["reversal_of"] is None
    totals = {"opening_balance": "0.00", "closing_balance": "9.99999999", "entries": 2}
    assert reseller.get(f"{path}/ledger").json == {"items": [charge, payment], "next": None, "totals": totals}
    assert reseller.get(path).json["balance"] == "9.99999999"


@pytest.mark.parametrize("amount", [10, 10.5, "0", "-1", "1e3", "1.000000001", "1000000000.01", "", None, "ten", "+1"])
def test_an_amount_that_is_no_positive_decimal_string_is_422(reseller: Any, path: str, amount: Any) -> None:
    for action in ("payments", "charges"):
        reply = reseller.post(f"{path}/{action}", {"amount": amount})
        assert (reply.status, reply.json["errors"][0]["field"]) == (422, "amount")
    assert reseller.get(path).json["balance"] == "0.00"


def test_money_in_another_currency_is_refused(reseller: Any, path: str) -> None:
    reply = reseller.post(f"{path}/payments", {"amount": "1", "currency": "EUR"})
    assert (reply.status, reply.json["errors"][0]["field"]) == (422, "currency")


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"x"', b'{"amount": NaN}'])
def test_a_body_that_is_no_json_object_is_refused(reseller: Any, path: str, body: bytes) -> None:
    assert reseller.post(f"{path}/payments", body).status in (400, 422)


def test_an_entry_is_reversed_once(reseller: Any, path: str) -> None:
    charge = reseller.made(f"{path}/charges", {"amount": "3"})
    reversal = reseller.made(f"{path}/ledger/{charge['id']}/reverse", None)
    assert (reversal["kind"], reversal["amount"], reversal["reversal_of"]) == ("reversal", "3.00", charge["id"])
    assert reversal["usage_month"] == charge["usage_month"]
    again = reseller.post(f"{path}/ledger/{charge['id']}/reverse")
    assert again.status == 409
    assert reversal["id"] in again.json["detail"]
    assert reseller.get(path).json["balance"] == "0.00"


def test_a_reversed_payment_can_suspend(reseller: Any) -> None:
    made = reseller.made("/v1/clients", {"balance_mode": "strict"})
    path = f"/v1/clients/{made['id']}"
    payment = reseller.made(f"{path}/payments", {"amount": "3"})
    reseller.made(f"{path}/ledger/{payment['id']}/reverse", None)
    assert reseller.get(path).json["service"] == "suspended"


def test_reversals_and_calls_cannot_be_reversed(reseller: Any, client: dict[str, Any], path: str, rated: Any) -> None:
    payment = reseller.made(f"{path}/payments", {"amount": "3"})
    reversal = reseller.made(f"{path}/ledger/{payment['id']}/reverse", None)
    rated(client["id"], "sub:alice", 1_790_000_000, 10**8)
    usage = entries(reseller, path)[-1]
    assert usage["kind"] == "call_usage"
    for entry in (reversal, usage):
        assert reseller.post(f"{path}/ledger/{entry['id']}/reverse").status == 409
    assert reseller.get(path).json["balance"] == "-1.00"


def test_a_kind_that_paypal_made_cannot_be_reversed(reseller: Any, client: dict[str, Any], path: str) -> None:
    from chalicelib.accounts.ledger import posting
    from chalicelib.accounts.rules import Posting
    from chalicelib.aws.transactions import Scope

    for kind in ("deposit", "refund", "chargeback", "recredit"):
        wanted = Posting(kind, 10**8, "PayPal", "2026-11", f"paypal:{kind}")
        read = partial(posting.get_client, reseller.ids["reseller"], client["id"])
        made = posting.post(Scope("paypal", 1_790_000_000), read, wanted, once=f"paypal:{kind}")
        again = posting.post(Scope("paypal", 1_790_000_000), read, wanted, once=f"paypal:{kind}")
        assert again.entry_id == made.entry_id
        refused = reseller.post(f"{path}/ledger/{made.entry_id}/reverse")
        assert refused.status == 409
        assert "PayPal" in refused.json["detail"]
    assert len(entries(reseller, path)) == 4


def test_the_operator_reverses_what_it_entered_for_a_reseller_once(operator: Any, reseller: Any) -> None:
    path = f"/v1/resellers/{reseller.ids['reseller']}"
    charge = operator.made(f"{path}/charges", {"amount": "3"})
    reversal = operator.made(f"{path}/ledger/{charge['id']}/reverse", None)
    assert (reversal["kind"], reversal["amount"], reversal["reversal_of"]) == ("reversal", "3.00", charge["id"])
    refused = [operator.post(f"{path}/ledger/{entry['id']}/reverse").status for entry in (charge, reversal)]
    assert refused == [409, 409]
    assert operator.post(f"{path}/ledger/3/reverse").status == 404
    assert reseller.post(f"{path}/ledger/{charge['id']}/reverse").status == 403
    assert reseller.get("/v1/account").json["balance"] == "0.00"


@pytest.mark.parametrize("entry_id", ["1", "0", "01", "x", "-1", "9" * 40, "٣"])
def test_an_unknown_entry_is_404(reseller: Any, path: str, entry_id: str) -> None:
    assert reseller.post(f"{path}/ledger/{entry_id}/reverse").status == 404


def test_of_eight_reversals_at_once_one_is_made(reseller: Any, path: str) -> None:
    charge = reseller.made(f"{path}/charges", {"amount": "3"})
    with ThreadPoolExecutor(8) as pool:
        url = f"{path}/ledger/{charge['id']}/reverse"
        replies = list(pool.map(lambda _: reseller.post(url).status, range(8)))
    assert sorted(replies) == [201] + [409] * 7
    assert reseller.get(path).json["balance"] == "0.00"


def test_payments_and_charges_at_once_are_all_counted(reseller: Any, path: str) -> None:
    chance = random.Random(7)
    jobs = [(chance.choice(["payments", "charges"]), chance.randint(1, 10**9)) for _ in range(48)]

    def send(job: tuple[str, int]) -> int:
        return int(reseller.post(f"{path}/{job[0]}", {"amount": format_amount(job[1])}).status)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(send, jobs)) == [201] * len(jobs)
    found = entries(reseller, path)
    assert [entry["id"] for entry in found] == [str(number) for number in range(1, len(jobs) + 1)]
    balance = 0
    for entry in found:
        balance += parse_amount(entry["amount"])
        assert parse_amount(entry["balance_after"]) == balance
    assert balance == sum(amount if kind == "payments" else -amount for kind, amount in jobs)
    assert parse_amount(reseller.get(path).json["balance"]) == balance


def test_the_month_keeps_the_sums_by_kind(reseller: Any, client: dict[str, Any], path: str) -> None:

    payment = reseller.made(f"{path}/payments", {"amount": "10"})
    reseller.made(f"{path}/charges", {"amount": "2"})
    reseller.made(f"{path}/payments", {"amount": "5"})
    reseller.made(f"{path}/ledger/{payment['id']}/reverse", None)
    month = Month.find_or_new(client["id"], payment["period"])
    assert month.posted == {"payment": 15 * 10**8, "charge": -2 * 10**8, "reversal": -10 * 10**8}


def test_what_comes_late_is_counted_in_the_first_open_month(reseller: Any, client: dict[str, Any], path: str) -> None:
    from chalicelib.accounts.ledger import months, posting
    from chalicelib.aws.transactions import Scope
    from chalicelib.periods import next_month

    payment = reseller.made(f"{path}/payments", {"amount": "10"})
    read = partial(posting.get_client, reseller.ids["reseller"], client["id"])
    months.close(Scope("test", 1_790_000_000), read, payment["period"])
    reversal = reseller.made(f"{path}/ledger/{payment['id']}/reverse", None)
    assert reversal["usage_month"] == payment["period"]
    assert reversal["period"] == next_month(payment["period"])


def test_a_crossing_is_recorded_with_the_entry_that_made_it(reseller: Any) -> None:
    from chalicelib.aws.transactions import Event

    made = reseller.made("/v1/clients", {"balance_mode": "strict", "low_balance_threshold": "5"})
    path = f"/v1/clients/{made['id']}"
    for action, amount in (("payments", "10"), ("charges", "6"), ("charges", "1"), ("charges", "4")):
        reseller.made(f"{path}/{action}", {"amount": amount})
    trail = [item for item in Event.under(*Event.of_owner(reseller.ids["reseller"])) if item.subject == made["id"]]
    crossings = [(item.kind, item.changes["balance_e8"]) for item in trail if "balance_e8" in (item.changes or {})]
    assert sorted(crossings) == [
        ("client.low_balance", 4 * 10**8),
        ("client.resumed", 10 * 10**8),
        ("client.suspended", -(10**8)),
    ]
