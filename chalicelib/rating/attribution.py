"""One call, attributed and priced: what the reference engine does with each line, and a preview with the first few.

Nothing is guessed: a call whose owner, number or rate is not found is refused with its reason.
"""

from __future__ import annotations

from typing import NamedTuple

from chalicelib.rating import pricing
from chalicelib.rating.directory import Holding
from chalicelib.rating.formats import Call
from chalicelib.rating.pricing import CallTerms, Price
from chalicelib.rating.tables import NO_RATE, Tables


class Refusal(NamedTuple):
    """Why a well-formed call cannot be rated."""

    reason: str
    message: str


class Attributed(NamedTuple):
    """Who pays for a call, by which terms, and how much when no free minutes are left."""

    holding: Holding
    terms: CallTerms
    price: Price


def attribute(call: Call, tables: Tables) -> Attributed | Refusal:
    """The priced call, or why there is none."""
    terms: CallTerms | None
    if call.direction == "outbound":
        holding = tables.directory.account(call.account, call.start)
        if holding is None:
            return Refusal("unknown_account", f"no client held the sub-account {call.account} then")
        terms = tables.outbound(holding.package_id, call.start, call.to_number)
    else:
        holding = tables.directory.did(call.to_number, call.start)
        if holding is None:
            return Refusal("no_owner", f"no client held the number {call.to_number} then")
        terms = tables.inbound(call.to_number, holding)
    seconds = call.seconds if call.disposition == "ANSWERED" else 0
    if terms is None:
        if seconds:
            return Refusal("no_rate", f"no deck in force then has a prefix of {call.to_number}")
        terms = NO_RATE
    record_cost = -1
    if tables.record_costs and seconds and terms.rule != "internal":
        if call.cost_e8 < 0:
            return Refusal("no_cost", "cost is empty, and this account takes costs from the record")
        record_cost = call.cost_e8
    return Attributed(holding, terms, pricing.price(terms, seconds, 0, record_cost))
