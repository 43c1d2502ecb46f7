"""Attributes and prices one call: for the reference engine each line, for a preview the first lines of a file.

A call is refused with a reason when its holder or its rate is not found. The *holder* is the client who had the
sub-account (outbound) or the number called (inbound) when the call started, and pays for it.
"""

from __future__ import annotations

from typing import NamedTuple

from chalicelib.calls.format import ANSWERED, OUTBOUND
from chalicelib.rating.cdr.formats import Call
from chalicelib.rating.pricing.price import FREE, UNANSWERED, Price, price_call
from chalicelib.rating.pricing.rate_book import RateBook
from chalicelib.rating.pricing.tariffs import NO_RATE

_NO_ACCOUNT = "no client held the sub-account `{}` when the call began; add it from that date on, or correct the name"
_NO_NUMBER = "no client held the number `{}` when the call began; assign it to a client from that date on"
_new = tuple.__new__


class Refusal(NamedTuple):
    """Why a well-formed call cannot be rated."""

    reason: str
    message: str


class Attributed(NamedTuple):
    """Who pays for a call, its terms, and its price without free minutes.

    ``holder`` and ``terms`` are numbers in ``RateBook.holders`` and ``RateBook.priced``.
    """

    holder: int
    terms: int
    price: Price


def attribute(call: Call, book: RateBook) -> Attributed | Refusal:
    """The priced call, or why it is refused."""
    _, _, start, direction, account, _, called, disposition, seconds, cost_e8 = call
    if direction == OUTBOUND:
        stretch = book.account(account, start)
        if stretch is None:
            return Refusal("unknown_account", _NO_ACCOUNT.format(account))
    else:
        stretch = book.did(called, start)
        if stretch is None:
            return Refusal("no_owner", _NO_NUMBER.format(called))
    number = stretch.terms_number(called)
    if disposition != ANSWERED or not seconds:
        return _new(Attributed, (stretch.holder, number, UNANSWERED))
    terms = book.priced.values[number]
    if terms is NO_RATE:
        return Refusal("no_rate", f"no deck in force then has a line for {called}")
    record_cost = -1
    if book.record_costs and terms.rule not in FREE:
        if cost_e8 < 0:
            return Refusal("no_cost", "cost is empty, and this account takes costs from the record")
        record_cost = cost_e8
    return _new(Attributed, (stretch.holder, number, price_call(terms, seconds, 0, record_cost)))
