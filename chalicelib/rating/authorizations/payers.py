"""Who would pay for a call that starts now, and by which terms: by the rate book that rates the call afterwards."""

from __future__ import annotations

from typing import NamedTuple

from chalicelib.calls.format import holder_of_account, holder_of_did
from chalicelib.fields import is_username
from chalicelib.rating.pricing import loading
from chalicelib.rating.pricing.price import CallTerms
from chalicelib.rating.pricing.rate_book import RateBook


class Payer(NamedTuple):
    """``holder``: the sub-account that calls or the DID that is called (``rate_book.Holder``). ``number``: as rated
    calls have it, or as dialled where it cannot be read.

    ``client_id`` is empty when no client has the holder, ``terms`` None when there is no rate. ``granted_seconds``: the
    free seconds of a month that may pay for the call.
    """

    holder: str
    number: str
    client_id: str = ""
    terms: CallTerms | None = None
    granted_seconds: int = 0


def of_outbound(book: RateBook, reseller_id: str, terms_version: int, now: int, account: str, number: str) -> Payer:
    """The payer of a call of a sub-account; ``number``: as dialled."""
    unpaid, holding = Payer(holder_of_account(account), number), None
    if is_username(account):
        holding = loading.cached_account(reseller_id, account, terms_version).account(account, now)
    if holding is None:
        return unpaid
    try:
        number = book.plan.read(number)
    except ValueError:
        # What was dialled is not a number, so there is no rate for it.
        return unpaid._replace(client_id=holding.client_id)
    terms = book.outbound(holding.package_id, now, number)
    package = book.terms.package(holding.package_id, now) if terms and terms.covered else None
    return Payer(unpaid.holder, number, holding.client_id, terms, package.free_minutes * 60 if package else 0)


def of_inbound(book: RateBook, reseller_id: str, terms_version: int, now: int, number: str) -> Payer:
    """The payer of a call to a DID; ``number``: as the switch has it."""
    try:
        number = book.plan.read(number)
    except ValueError:
        return Payer(holder_of_did(number), number)
    holding = loading.cached_did(reseller_id, number, terms_version).did(number, now)
    payer = Payer(holder_of_did(number), number)
    return payer._replace(client_id=holding.client_id, terms=book.inbound(number, holding)) if holding else payer
