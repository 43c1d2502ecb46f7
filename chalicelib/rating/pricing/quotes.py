"""What a call would cost and be sold for, and why: by the same rate book that prices it."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib import numbers
from chalicelib.accounts.ledger import posting
from chalicelib.accounts.service import term_versions
from chalicelib.config import settings
from chalicelib.errors import Invalid, NotFound
from chalicelib.rating.pricing import loading
from chalicelib.rating.pricing import price as pricing_price
from chalicelib.rating.pricing.explain import explain
from chalicelib.rating.pricing.price import CallTerms, Price


@dataclass(frozen=True)
class Quote:
    """A priced call that was not made; ``steps`` explain it, without the cost when ``for_client``.

    ``has_cost``: the deck says what it costs. It does not where costs come from the calls' records and no line fits.
    """

    number: str
    country: str | None
    terms: CallTerms
    price: Price
    cost_billed_seconds: int
    has_cost: bool
    steps: list[str]


def quote(reseller_id: str, package_id: str, number: str, seconds: int, at: int, *, for_client: bool) -> Quote:
    """Price an answered call of ``seconds`` that starts at ``at``; no free minutes are left.

    As in rating, a reseller whose costs come from the records needs a deck line or a custom rate, others a deck line.
    ``NotFound`` for an unknown package, ``Invalid`` for a number that cannot be read or has no rate.
    """
    reseller = posting.get_reseller(reseller_id)
    try:
        wanted = called(number, reseller.home_country)
    except ValueError as problem:
        raise Invalid.field("number", str(problem)) from None
    version, recorded = int(term_versions.head_of(reseller_id).version), reseller.cost_source == "record"
    book = loading.cached_rate_book(reseller_id, reseller.time_zone, version, loading.deck_version(), recorded)
    if book.terms.package(package_id, at) is None:
        raise NotFound()
    terms = book.outbound(package_id, at, wanted)
    if terms is None:
        also = ", and no custom rate fits" if recorded else ""
        raise Invalid.field("number", f"has no rate: no deck in force then has a prefix of {wanted}{also}")
    digits = wanted.lstrip("+")
    line = book.deck_line(package_id, at, digits, terms.country)
    steps = explain(
        terms,
        seconds,
        settings.currency,
        fits=book.terms.fits(package_id, at, digits, terms.country, line),
        markup=book.terms.markup(package_id, at),
        for_client=for_client,
        record_cost=recorded,
    )
    billed = pricing_price.billed(seconds, terms.cost_initial, terms.cost_increment)
    has_cost = line is not None or not recorded
    return Quote(wanted, terms.country, terms, pricing_price.price(terms, seconds), billed, has_cost, steps)


def called(text: str, home_country: str) -> str:
    """A number that somebody asks about: as dialled at home, or E.164 with or without ``+``, which may have been
    decoded to a blank.

    ``ValueError`` for anything else.
    """
    if text[:1] == " ":
        return numbers.path_number(text)
    try:
        return numbers.normalise(text, home_country)
    except ValueError:
        return numbers.path_number(text)
