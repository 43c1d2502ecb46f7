"""A reseller with a strict client, somebody who takes its webhooks, and the sender, run by hand with a clock."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from by_hand import Sender, left
from receiver import Receiver, receiving

from chalicelib.notices.service import sending
from chalicelib.notices.service.sending import Gateways


@pytest.fixture
def sender(aws: str) -> Sender:
    """What other tests left to be sent is sent away first, so that a test counts its own."""
    quiet = Gateways(post=lambda *_, **__: sending.Outcome(200), send=lambda *_: "")
    found = Sender()
    far = Sender(found.now + 10 * 86_400)
    while left():
        far.run(quiet)
        far.now += 10_000
    return found


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def hook(reseller: Any, receiver: Receiver) -> dict[str, Any]:
    """A webhook for everything."""
    return dict(reseller.made("/v1/webhooks", {"url": f"{receiver.url}/hook"}))


@pytest.fixture
def acme(reseller: Any) -> dict[str, Any]:
    """A strict French client with 10.00, told under 5.00."""
    body = {"company": "Acme", "email": "acme@acme.example", "language": "fr", "balance_mode": "strict"}
    made = reseller.made("/v1/clients", {**body, "low_balance_threshold": "5"})
    reseller.made(f"/v1/clients/{made['id']}/payments", {"amount": "10"})
    return dict(made)


@pytest.fixture
def spend(reseller: Any, acme: dict[str, Any]) -> Callable[[str], None]:
    def charge(amount: str) -> None:
        reseller.made(f"/v1/clients/{acme['id']}/charges", {"amount": amount})

    return charge


@pytest.fixture
def mails(aws: str) -> Callable[[str], list[dict[str, Any]]]:
    """The letters that the emulated SES has taken for an address, oldest first."""

    def read(address: str) -> list[dict[str, Any]]:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{aws}/_ministack/ses/messages") as answer:
            found = [one for rows in json.load(answer)["messages"].values() for one in rows]
        return [one for one in found if one["To"] == [address]]

    return read
