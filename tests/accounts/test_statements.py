"""Statements: a ledger from day to day in the reseller's zone, with the balances around it, as JSON and as CSV."""

from __future__ import annotations

import csv
import io
from functools import partial
from typing import Any

import pytest

from chalicelib.money import parse_amount
from chalicelib.periods import parse_instant

POSTED = (
    # Toronto: the 1st, the last second of the 2nd, the first of the 3rd, the 8th (an hour is missing), the 9th.
    ("2026-03-01T17:00:00Z", 10_00000000),
    ("2026-03-03T04:59:59Z", -3_00000000),
    ("2026-03-03T05:00:00Z", -1),
    ("2026-03-09T03:59:59Z", 5_00000000),
    ("2026-03-09T04:00:00Z", -20_00000000),
)


@pytest.fixture
def ledger(reseller: Any, client: dict[str, Any]) -> str:
    """A client with five entries; the path of its ledger."""
    from chalicelib.accounts.ledger import posting
    from chalicelib.accounts.rules import Posting
    from chalicelib.aws.transactions import Scope

    read = partial(posting.get_client, reseller.ids["reseller"], client["id"])
    for instant, amount_e8 in POSTED:
        kind = "payment" if amount_e8 > 0 else "charge"
        posting.post(Scope("test", parse_instant(instant)), read, Posting(kind, amount_e8, f"=of {instant}", "2026-03"))
    return f"/v1/clients/{client['id']}/ledger"


@pytest.mark.parametrize(
    ("query", "ids", "opening", "closing"),
    [
        ("", "54321", "0.00", "-8.00000001"),
        ("date_from=2026-03-02", "5432", "10.00", "-8.00000001"),
        ("date_to=2026-03-02", "21", "0.00", "7.00"),
        ("date_from=2026-03-02&date_to=2026-03-02", "2", "10.00", "7.00"),
        ("date_from=2026-03-03&date_to=2026-03-03", "3", "7.00", "6.99999999"),
        ("date_from=2026-03-08&date_to=2026-03-08", "4", "6.99999999", "11.99999999"),
        ("date_from=2026-03-09&date_to=2026-03-09", "5", "11.99999999", "-8.00000001"),
        ("date_from=2026-03-04&date_to=2026-03-07", "", "6.99999999", "6.99999999"),
        ("date_to=2026-02-28", "", "0.00", "0.00"),
        ("date_from=2026-03-10", "", "-8.00000001", "-8.00000001"),
    ],
)
def test_days_are_the_resellers_and_both_included(
    reseller: Any, ledger: str, query: str, ids: str, opening: str, closing: str
) -> None:
    found = reseller.get(f"{ledger}?{query}").json
    assert "".join(entry["id"] for entry in found["items"]) == ids
    assert found["totals"] == {"opening_balance": opening, "closing_balance": closing, "entries": len(ids)}
    moved = sum(parse_amount(entry["amount"]) for entry in found["items"])
    assert parse_amount(opening) + moved == parse_amount(closing)
    rows = list(csv.DictReader(io.StringIO(reseller.get(f"{ledger}?{query}&format=csv").text)))
    assert [row["id"] for row in rows] == ["", *ids[::-1], ""]
    assert [(row["kind"], row["balance_after"]) for row in (rows[0], rows[-1])] == [
        ("opening_balance", opening),
        ("closing_balance", closing),
    ]


@pytest.mark.parametrize("limit", [1, 2, 3, 4])
def test_pages_hold_the_same_entries_and_balances_whatever_comes_in_meanwhile(
    reseller: Any, client: dict[str, Any], ledger: str, limit: int
) -> None:
    path = f"{ledger}?date_from=2026-03-02&limit={limit}"
    whole = reseller.get(f"{ledger}?date_from=2026-03-02").json
    found, page = [], reseller.get(path).json
    while True:
        found += page["items"]
        assert page["totals"] == whole["totals"]
        if page["next"] is None:
            break
        reseller.made(f"/v1/clients/{client['id']}/payments", {"amount": "1"})
        page = reseller.get(f"{path}&cursor={page['next']}").json
    assert found == whole["items"]


def test_the_file_is_what_the_list_says_oldest_first_and_no_formula(reseller: Any, ledger: str) -> None:
    reply = reseller.get(f"{ledger}?format=csv")
    assert reply.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "ledger.csv" in reply.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(reply.text)))[1:-1]
    listed = reseller.get(ledger).json["items"][::-1]
    for row, entry in zip(rows, listed, strict=True):
        # A cell that a spreadsheet would run gets a quote in front.
        assert row == {
            name: value or "" for name, value in (entry | {"description": f"'{entry['description']}"}).items()
        }


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("date_from=2026-02-30", "date_from"),
        ("date_to=soon", "date_to"),
        ("date_from=2026-03-02&date_to=2026-03-01", "date_to"),
        ("format=pdf", "format"),
    ],
)
def test_wrong_parameters_are_named(reseller: Any, ledger: str, query: str, field: str) -> None:
    reply = reseller.get(f"{ledger}?{query}")
    assert (reply.status, [error["field"] for error in reply.json["errors"]]) == (422, [field])


def test_a_file_of_too_many_entries_is_413(reseller: Any, client: dict[str, Any], ledger: str) -> None:
    from chalicelib.accounts.store.owners import Client, Owner

    item = Client.find(*Client.key(reseller.ids["reseller"], client["id"]))
    assert item is not None
    item.update(actions=[Owner.entries.set(10_001)])
    assert reseller.get(f"{ledger}?format=csv").status == 413
    item.update(actions=[Owner.entries.set(len(POSTED))])


def test_the_resellers_own_ledger_is_told_to_it_and_to_the_operator_alike(
    operator: Any, reseller: Any, did: str
) -> None:
    path = f"/v1/resellers/{reseller.ids['reseller']}"
    operator.made(f"{path}/payments", {"amount": "10"})
    mine, theirs = reseller.get("/v1/account/ledger"), operator.get(f"{path}/ledger")
    assert mine.json == theirs.json
    assert mine.json["totals"] == {"opening_balance": "0.00", "closing_balance": "7.00", "entries": 3}
    for query in ("format=csv", "date_from=2026-01-01&format=csv", "date_to=2026-01-01&format=csv"):
        files = [reseller.get(f"/v1/account/ledger?{query}"), operator.get(f"{path}/ledger?{query}")]
        assert files[0].text == files[1].text


def test_a_clients_key_gets_its_own_statement_and_no_other(reseller: Any, client: dict[str, Any], ledger: str) -> None:
    other = reseller.made("/v1/clients", {})["id"]
    body = {"role": "client", "client_id": client["id"]}
    customer = reseller.with_key(reseller.made("/v1/keys", body)["api_key"])
    assert customer.get(ledger).json == reseller.get(ledger).json
    assert customer.get(f"{ledger}?format=csv").text == reseller.get(f"{ledger}?format=csv").text
    assert customer.get(f"/v1/clients/{other}/ledger").status == 404
    assert customer.get("/v1/account/ledger").status == 403


def test_an_entry_is_never_earlier_than_the_one_before_it(reseller: Any, client: dict[str, Any]) -> None:
    """Clocks of two functions differ, and a batch posts with the time at which it began."""
    from chalicelib.accounts.ledger import posting
    from chalicelib.accounts.rules import Posting
    from chalicelib.aws.transactions import Scope

    read = partial(posting.get_client, reseller.ids["reseller"], client["id"])
    instants = [1_790_000_000, 1_789_999_000, 1_790_000_001]
    made = [posting.post(Scope("test", at), read, Posting("charge", -1, "", "2026-09")) for at in instants]
    assert [int(entry.posted_at) for entry in made] == [1_790_000_000, 1_790_000_000, 1_790_000_001]
