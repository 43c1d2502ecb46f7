"""Every row of the tables in ``docs/paypal.md``, sent through the product: callback, post-back, ledger, answer."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

import pytest
from documents import Row
from paypal_shop import FORM, Shop, asked, open_shop
from paypal_tables import table, words

from local.paypal import messages
from local.paypal.server import Mood

SAID = {
    "VERIFIED": "normal",
    "not asked": "normal",
    "INVALID": "INVALID",
    "an HTML page": "html",
    "VERIFIED and a line break": "newline",
    "VERIFIED with status 500": "error",
    "a redirect": "redirect",
    "nothing: the connection breaks": "broken",
    "nothing in time": "slow",
}


def named(row: Row) -> str:
    return f"{next(iter(row.values()))} | {row.get('PayPal says', '')}"[:100]


def changed(good: dict[str, str], changes: list[str]) -> bytes:
    """The good message with what a row says is different in it."""
    told, more = dict(good), b""
    for change in changes:
        if match := re.fullmatch(r"without (\w+)", change):
            told.pop(match[1], None)
        elif match := re.fullmatch(r"(\w+) twice", change):
            more += b"&" + messages.encode({match[1]: told.get(match[1], "twice")})
            told.setdefault(match[1], "twice")
        elif match := re.fullmatch(r"(\d+) fields more", change):
            told |= {f"option_name{n}": "" for n in range(int(match[1]))}
        elif match := re.fullmatch(r"([\d,]+) bytes", change.replace(" 537", ",537")):
            raw = messages.encode(told)
            return raw + b"&memo=" + b"x" * (int(match[1].replace(",", "")) - len(raw) - 6)
        elif change == "no body":
            return b""
        elif change not in ("as it is", "application/json", "token of nobody"):
            name, _, value = change.partition("=")
            told[name] = value.replace("\\n", "\n").replace("\\r", "\r")
    return messages.encode(told) + more


@pytest.mark.parametrize("row", table("What a message does"), ids=named)
def test_one_message(row: Row, shop: Shop, operator: Any, other: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    said, message = row["PayPal says"], row["message"]
    good, now = dict(shop.good), shop.now
    if message == "invoice of another client":
        neighbour = shop.api.made("/v1/clients", {"company": "Neighbour"})["id"]
        good["invoice"] = asked(Shop(shop.api, shop.standin, neighbour, {})).deposit["invoice"]
    elif message == "invoice of another reseller":
        good["invoice"] = other.good["invoice"]
    else:
        good["txn_id"] = messages.new_id()
    changes = words(message) if not re.fullmatch(r"[\d,]+ bytes", message) else [message]
    raw = changed(good, [] if message.startswith("invoice of") else changes)
    headers = {"content-type": "application/json"} if message == "application/json" else {}
    asked_before = len(shop.standin.asked)
    shop.standin.mood = Mood(SAID[said], slow_seconds=2.0)
    if said == "nothing in time":
        from chalicelib.payments import gateway
        from chalicelib.payments.handlers import paypal_callbacks

        monkeypatch.setattr(paypal_callbacks, "Paypal", lambda: gateway.Paypal(total_seconds=0.3))
    if message == "token of nobody":
        reply = shop.api.with_key("").send("POST", "/paypal/ipn/nobody", raw, headers=FORM)
        status = reply.status
    else:
        status = shop.send(raw, **headers)

    assert status == int(row["HTTP"])
    assert shop.ledger() == words(row["ledger"])
    assert now() == row["deposit"]
    assert (len(shop.standin.asked) > asked_before) == (said not in ("not asked", "nothing: the connection breaks"))
    last = shop.last(operator)
    assert (last.get("outcome", ""), last.get("reason", "")) == (row["outcome"], row["reason"])
    assert shop.reviews() == ([row["reason"]] if row["outcome"] == "review" else [])


@pytest.fixture
def other(operator: Any, paypal: Any) -> Shop:
    """A shop of another reseller."""
    made = operator.made("/v1/resellers", {"name": "Other", "email": "o@other.example"})
    return open_shop(type(operator)(operator.gateway, made["api_key"], {"reseller": made["id"]}), paypal)


# --- several ------------------------------------------------------------------------------------------------------

STATUSES = {"Refunded": "-", "Reversed": "-", "Canceled_Reversal": "", "adjustment": "-"}


def written(shop: Shop, cell: str) -> list[bytes]:
    """The messages of a row, in its order."""
    made: list[bytes] = []
    for word in words(cell):
        name, _, amount = word.partition(" ")
        amount = f"{amount or '25'}.00"
        if word == "again":
            told = None
        elif word == "another payment":
            told = shop.good | {"txn_id": messages.new_id()}
        elif word == "new_case":
            told = messages.case(shop.good, "dispute")
        elif name == "adjustment":
            told = messages.adjustment(shop.good, f"-{amount}")
        elif name in STATUSES:
            told = messages.change(shop.good, name, STATUSES[name] + amount, "other")
        elif "=" in word:
            told = shop.good | dict([word.split("=")])
        else:
            told = shop.good | {"payment_status": name}
        made.append(messages.encode(told) if told else made[-1])
    return made


@pytest.mark.parametrize("row", table("What several messages do"), ids=named)
def test_several_messages(row: Row, shop: Shop) -> None:
    assert [shop.send(raw) for raw in written(shop, row["messages"])] == [200] * len(words(row["messages"]))
    assert shop.ledger() == words(row["ledger"])
    assert (shop.balance(), shop.now()) == (row["balance"], row["deposit"])
    assert sorted(shop.reviews()) == sorted(words(row["reviews"]))


@pytest.mark.parametrize("row", table("What several messages do"), ids=named)
def test_the_balance_is_the_same_in_any_order_and_when_all_comes_twice(row: Row, reseller: Any, paypal: Any) -> None:
    """Orders are drawn here; ``test_exactly_once_deposits`` goes through all orders of the pure decision."""
    cell, dice = row["messages"], random.Random(row["messages"])
    shop = open_shop(reseller, paypal)
    raws = written(shop, cell) * 2
    dice.shuffle(raws)
    assert {shop.send(raw) for raw in raws} == {200}
    assert shop.balance() == row["balance"]
    assert shop.reconciled() == []


def test_every_reason_is_explained() -> None:
    told = {one.strip("`") for row in table("Reasons") for one in words(row["reason"])}
    used = {row["reason"] for row in table("What a message does")} - {""}
    used |= {reason for row in table("What several messages do") for reason in words(row["reviews"])}
    assert used <= told
    from chalicelib.payments import decide, form
    from chalicelib.payments.service import inbox

    source = "".join(Path(module.__file__).read_text() for module in (decide, form, inbox))
    known = set(re.findall(r"(?:ignored|review|_review)\((?:facts, )?\"(\w+)\"", source))
    known |= set(re.findall(r"return \"(\w+)\"", source)) | set(re.findall(r"BadForm\(\"(\w+)\"", source))
    known |= set(re.findall(r"Decision\(\s*\"\w+\",\s*\"(\w+)\"", source))
    assert known <= told
