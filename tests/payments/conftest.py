"""PayPal's stand-in, and a shop that takes its payments."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from paypal_shop import Shop, asked, open_shop

from local.paypal.sender import Habits
from local.paypal.server import Mood, StandIn

_apps = itertools.count(1)


@pytest.fixture
def paypal(standin: StandIn) -> Iterator[StandIn]:
    """The stand-in, in its usual mood before and after; messages of its own go nowhere unless a test lets them."""
    standin.mood, standin.books.sender.habits = Mood(), Habits(deliver=False)
    yield standin
    standin.mood, standin.books.sender.habits = Mood(), Habits(deliver=False)


@pytest.fixture
def shop(reseller: Any, paypal: StandIn) -> Iterator[Shop]:
    made = open_shop(reseller, paypal)
    yield made
    assert made.reconciled() == []


@pytest.fixture
def app_shop(reseller: Any, paypal: Any) -> Shop:
    """A shop with a REST app of its own."""
    shop = open_shop(reseller, paypal)
    told = {"app_key": f"App-{reseller.ids['reseller']}-{next(_apps)}", "app_secret": "s3cret"}
    reply = reseller.put("/v1/paypal/app", told)
    assert reply.status == 200, reply.text
    assert reply.json["app"]["app_key"] == told["app_key"] and "s3cret" not in reply.text
    return asked(shop)
