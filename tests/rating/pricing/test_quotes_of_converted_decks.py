"""Quotes by a deck whose costs were converted: staff see both amounts and the rate, clients see no cost."""

from __future__ import annotations

from typing import Any

import pytest
from builders import NOW
from dropped_decks import put_in_force

from chalicelib.aws import objects

DAY = "2095-03-03"
"""No other test has calls or decks from this day on."""
FX = 10_834_000_000
LINES = (
    "prefix,destination,rate_per_minute,initial,increment,connect_fee,match\n"
    "1,NANP,0.01,60,60,,\n1212,New York,0.031,6,6,0.01,\n44,UK,0.0000000003,1,1,,\n502,Guatemala,0.25,60,60,,\n"
    "411,Information,0.5,60,60,,number\n"
)


@pytest.fixture(scope="module")
def euros(deck: str) -> None:
    """A deck in euros, in force from ``DAY`` on."""
    from chalicelib.aws.transactions import Put, Scope, commit
    from chalicelib.rating.decks.store import DeckUpload

    key, scope = f"incoming/decks/value/{DAY}-euros.csv", Scope("operator", NOW)
    upload = DeckUpload(*DeckUpload.key(key), file="euros.csv", by="operator", cost_currency="EUR", fx_e10=FX)
    commit(scope, [Put(upload)])
    objects.write(key, LINES.encode())
    put_in_force(key, "")


def steps(api: Any, package: str, number: str, at: str = f"{DAY}T12:00:00Z") -> list[str]:
    reply = api.get(f"/v1/packages/{package}/quote?number={number}&seconds=60&at={at}")
    assert reply.status == 200, reply.text
    found: list[str] = reply.json["steps"]
    return found


def test_a_quote_shows_staff_how_the_cost_was_converted_and_clients_nothing(reseller: Any, euros: None) -> None:
    client = reseller.made("/v1/clients", {"company": "Acme"})["id"]
    package = reseller.made("/v1/packages", {"name": "Gold", "markup_percent": "20"})["id"]
    reseller.made("/v1/subaccounts", {"username": "alice", "client_id": client, "package_id": package})
    assert steps(reseller, package, "12125550100")[:2] == [
        "The deck is in EUR: 0.031 EUR a minute x 1.0834 = 0.0335854 USD; for the connection 0.01 EUR x 1.0834 = "
        "0.010834 USD.",
        "Deck line 1212 (New York) costs 0.0335854 USD a minute, billed 6/6, plus 0.010834 for the connection.",
    ]
    assert steps(reseller, package, "411")[0] == "The deck is in EUR: 0.50 EUR a minute x 1.0834 = 0.5417 USD."
    assert steps(reseller, package, "442079460000")[0] == (
        "The deck is in EUR: 0.0000000003 EUR a minute x 1.0834 = 0.0000000003 USD (rounded half-up to 10 decimals)."
    )
    before = steps(reseller, package, "12125550100", "2026-09-10T12:00:00Z")
    assert before[0].startswith("Deck line 1212")
    theirs = reseller.with_key(reseller.made("/v1/keys", {"role": "client", "client_id": client})["api_key"])
    shown = " ".join(steps(theirs, package, "12125550100"))
    assert not any(word in shown for word in ("EUR", "deck", "Deck", "0.031", "1.0834"))
