"""What a call would cost and be sold for, and why: by the same rate book that prices it."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib import numbering, numbers
from chalicelib.accounts.ledger import posting
from chalicelib.config import settings
from chalicelib.dialling import Ambiguous, DialPlan
from chalicelib.errors import Invalid, NotFound
from chalicelib.rating.decks.deck import PREFIX
from chalicelib.rating.pricing import loading
from chalicelib.rating.pricing.explain import explain
from chalicelib.rating.pricing.price import billed, price_call, rule_for_client


@dataclass(frozen=True)
class QuotedCost:
    """What the call costs the reseller, by the deck line of ``prefix``; per minute ``_e10``, the amount ``_e8``.

    ``prefix`` is the whole number if the line is of this number alone.
    """

    prefix: str
    destination: str
    rate_e10: int
    billed_seconds: int
    amount_e8: int


@dataclass(frozen=True)
class QuotedPrice:
    """What the call is sold for, by ``rule`` (see ``CallTerms``; for a client ``rule_for_client``)."""

    rule: str
    rate_e10: int
    billed_seconds: int
    amount_e8: int


@dataclass(frozen=True)
class Quote:
    """A priced call that was not made; ``steps`` are the sentences that explain it.

    ``cost`` is ``None`` for a client, and if costs come from the records of calls and no deck line fits.
    """

    number: str
    country: str | None
    cost: QuotedCost | None
    price: QuotedPrice
    steps: list[str]


def quote(reseller_id: str, package_id: str, number: str, seconds: int, at: int, *, for_client: bool) -> Quote:
    """Price an answered call of ``seconds`` that starts at the instant ``at``, as if no free minutes were left.

    As in rating, a number has a rate if a deck line matches it or, for a reseller whose costs come from CDRs, a custom
    rate. Raises ``NotFound`` for an unknown package, ``Invalid`` for a number that cannot be read or has no rate.
    """
    reseller = posting.get_reseller(reseller_id)
    book = loading.newest_rate_book(reseller)
    try:
        normalised = called(number, book.plan)
    except ValueError as problem:
        raise Invalid.field("number", str(problem)) from None
    if book.terms.package(package_id, at) is None:
        raise NotFound()
    terms = book.outbound(package_id, at, normalised)
    if terms is None:
        also = ", and no custom rate fits" if book.record_costs else ""
        why = "" if for_client else f": no deck in force then has a line for {normalised}{also}"
        raise Invalid.field("number", f"has no rate{why}")
    digits = normalised.lstrip("+")
    line = book.deck_line(package_id, at, normalised, terms.country)
    given = None
    if line is not None and not for_client:
        route = book.tariff(package_id, at)[0].routing.route(normalised, terms.country)
        given = loading.given_cost(route, at, line)
    steps = explain(
        terms,
        seconds,
        settings.currency,
        matching=book.terms.matching_rules(package_id, at, digits, terms.country, line),
        markup=book.terms.markup(package_id, at),
        for_client=for_client,
        record_cost=book.record_costs,
        match=line.match if line else PREFIX,
        given=given,
    )
    priced = price_call(terms, seconds)
    cost = None
    if not for_client and (line is not None or not book.record_costs):
        cost_seconds = billed(seconds, terms.cost_initial, terms.cost_increment)
        cost = QuotedCost(terms.prefix, terms.destination, terms.cost_rate_e10, cost_seconds, priced.cost_e8)
    rule = rule_for_client(terms.rule) if for_client else terms.rule
    sold = QuotedPrice(rule, terms.rate_e10, priced.billed_seconds, priced.amount_e8)
    return Quote(normalised, terms.country, cost, sold, steps)


def called(text: str, plan: DialPlan) -> str:
    """A number in a query string -> ``+<digits>``, or a bare number (``DialPlan.read``).

    It is read as dialled by ``plan``. In a query string ``+`` means a blank, and is often left out. So a blank at the
    start is a ``+``; and a text that is no number as dialled is taken as E.164 without ``+`` if it is as long as
    numbers of its country. Raises ``ValueError`` for all else, and ``Ambiguous`` as the plan does.
    """
    dialled = text.replace(" ", "+", 1) if text[:1] == " " else text
    try:
        return plan.read(dialled)
    except Ambiguous:
        raise
    except ValueError:
        if dialled != text:
            return plan.read(text)
        number = numbers.path_number(text)
        if numbering.is_possible(number[1:]):
            return number
        raise
