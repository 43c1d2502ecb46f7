"""The price list of a package at an instant, by the newest versions of terms and decks, as for quotes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from chalicelib import money
from chalicelib.accounts.ledger import posting
from chalicelib.errors import NotFound, TooLarge
from chalicelib.rating.pricing import loading
from chalicelib.rating.pricing.prices_by_prefix import PriceList, PriceRow

MOST_ROWS = 50_000
"""The most rows of a file: about what the answer to a request can hold."""
COLUMNS = (
    "prefix", "destination", "country", "rate_per_minute", "initial", "increment", "connection_fee", "minimum_charge",
    "grace_seconds", "rule", "match",
)  # fmt: skip


def of_package(reseller_id: str, package_id: str, at: int, *, for_client: bool) -> PriceList:
    """The prices of a package at the instant ``at``; ``NotFound`` for a package that the reseller never had.

    ``for_client``: with rules as a client sees them.
    """
    book = loading.newest_rate_book(posting.get_reseller(reseller_id))
    try:
        return PriceList(book, package_id, at, for_client=for_client)
    except ValueError:
        raise NotFound() from None


def file_rows(prices: PriceList, within: str) -> Iterator[tuple[object, ...]]:
    """Rows of ``COLUMNS`` for the prefixes that begin with ``within``; ``TooLarge`` for more than ``MOST_ROWS``."""
    rows = list(islice(prices.rows(within), MOST_ROWS + 1))
    if len(rows) > MOST_ROWS:
        raise TooLarge(f"The list has more than {MOST_ROWS} rows; ask for a part of it, such as prefix=44.")
    return (_cells(row) for row in rows)


def _cells(row: PriceRow) -> tuple[object, ...]:
    return (
        row.prefix,
        row.destination,
        row.country,
        None if row.rate_e10 is None else money.format_rate(row.rate_e10),
        row.initial,
        row.increment,
        money.format_amount(row.fee_e8),
        money.format_amount(row.minimum_e8) if row.minimum_e8 else None,
        row.grace_seconds,
        row.rule,
        row.match,
    )
