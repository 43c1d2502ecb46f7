"""PayPal's stand-in, and a shop that takes its payments."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from paypal_shop import Shop, open_shop

from local.paypal.sender import Habits
from local.paypal.server import Mood, StandIn


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
