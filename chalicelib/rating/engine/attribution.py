"""One call, attributed and priced: what the reference engine does with each line, and a preview with the first few.

Nothing is guessed: a call whose owner, number or rate is not found is refused with its reason.
"""

from __future__ import annotations

from typing import NamedTuple

from chalicelib.calls.format import ANSWERED, OUTBOUND
from chalicelib.rating.cdr.formats import Call
from chalicelib.rating.pricing.price import UNANSWERED, Price, price_call
from chalicelib.rating.pricing.rate_book import RateBook
from chalicelib.rating.pricing.tariffs import NO_RATE

_new = tuple.__new__


class Refusal(NamedTuple):
    """Why a well-formed call cannot be rated."""

    reason: str
    message: str


class Attributed(NamedTuple):
    """Who pays for a call, by which terms, and how much when no free minutes are left.

    ``holder`` and ``terms`` are the numbers by which ``RateBook`` knows them.
    """

    holder: int
    terms: int
    price: Price


def attribute(call: Call, book: RateBook) -> Attributed | Refusal:
    """The priced call, or why there is none."""
    _, _, start, direction, account, _, called, disposition, seconds, cost_e8 = call
    if direction == OUTBOUND:
        stretch = book.account(account, start)
        if stretch is None:
            return Refusal("unknown_account", f"no client held the sub-account {account} then")
    else:
        stretch = book.did(called, start)
        if stretch is None:
            return Refusal("no_owner", f"no client held the number {called} then")
    number = stretch.terms_number(called)
    if disposition != ANSWERED or not seconds:
        return _new(Attributed, (stretch.holder, number, UNANSWERED))
    terms = book.priced.values[number]
    if terms is NO_RATE:
        return Refusal("no_rate", f"no deck in force then has a prefix of {called}")
    record_cost = -1
    if book.record_costs and terms.rule != "internal":
        if cost_e8 < 0:
            return Refusal("no_cost", "cost is empty, and this account takes costs from the record")
        record_cost = cost_e8
    return _new(Attributed, (stretch.holder, number, price_call(terms, seconds, 0, record_cost)))
