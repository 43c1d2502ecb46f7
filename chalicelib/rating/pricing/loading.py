"""Stored terms and decks -> the rate book that rating, quotes and authorizations price calls with.

Terms of a version and published decks never change, so a Lambda container keeps those that it has read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, fields, replace
from functools import lru_cache, partial
from operator import attrgetter
from typing import Any

from chalicelib import periods
from chalicelib.accounts.service import term_versions
from chalicelib.aws import objects
from chalicelib.dialling import DialPlan
from chalicelib.rating.cdr.call import is_account
from chalicelib.rating.decks.deck import ROUTES, Deck, DeckLine
from chalicelib.rating.decks.given import GivenCost, line_like
from chalicelib.rating.decks.store import DeckDrop, DeckVersion, counting, drop_of, head_and_version
from chalicelib.rating.pricing.ownership import Holding, Ownership
from chalicelib.rating.pricing.precedence import PackageVersion
from chalicelib.rating.pricing.rate_book import RateBook
from chalicelib.rating.pricing.store import rates_upto
from chalicelib.rating.pricing.tariffs import Heads
from chalicelib.rating.pricing.terms import Terms

_HOLDING_FIELDS = attrgetter(*(field.name for field in fields(Holding)))
"""Items have attributes with the names of these fields."""


def deck_version() -> int:
    """The newest deck version; 0 while no deck is published."""
    return head_and_version()[1]


def rate_book(
    reseller_id: str,
    zones: str,
    plan: DialPlan,
    terms_version: int,
    decks_version: int,
    *,
    record_costs: bool = False,
) -> RateBook:
    """Everything that prices a reseller's calls, as of these versions of its terms and of the decks.

    ``zones``: its calendar, as ``periods.calendar`` reads it. ``plan``: home country and internal digits; codes and
    accounts are added here.
    """
    ownership, decks = _ownership(reseller_id, terms_version), _decks(decks_version)
    codes = _codes(decks, plan.home_country)
    return RateBook(
        plan=replace(plan, codes=codes, accounts=frozenset(ownership.accounts())),
        ownership=ownership,
        terms=terms(reseller_id, terms_version),
        decks=_opened(decks),
        calendar=periods.calendar(zones),
        record_costs=record_costs,
    )


@lru_cache(maxsize=64)
def cached_rate_book(
    reseller_id: str, zones: str, plan: DialPlan, terms_version: int, decks_version: int, record_costs: bool = False
) -> RateBook:
    """The same without ownership, cached until terms or decks change: for requests that price one call."""
    decks, accounts = _decks(decks_version), Accounts(reseller_id, terms_version)
    return RateBook(
        plan=replace(plan, codes=_codes(decks, plan.home_country), accounts=accounts),
        ownership=Ownership({}, {}),
        terms=terms(reseller_id, terms_version),
        decks=_opened(decks),
        calendar=periods.calendar(zones),
        record_costs=record_costs,
        # A container has the rate books of many resellers, and each prices only a few calls.
        heads=Heads(1 << 13),
    )


def newest_rate_book(reseller: Any) -> RateBook:
    """The cached rate book of a ``Reseller``, by the newest versions of its terms and of the decks."""
    version = term_versions.head_of(reseller.reseller_id).version
    record_costs = reseller.cost_source == "record"
    plan = reseller.dial_plan
    return cached_rate_book(reseller.reseller_id, reseller.zones, plan, version, deck_version(), record_costs)


@lru_cache(maxsize=4096)
def cached_account(reseller_id: str, username: str, terms_version: int) -> Ownership:
    """The ownership of one sub-account, cached until terms change."""
    return _as_ownership(term_versions.account_assignments(reseller_id, username, terms_version))


@lru_cache(maxsize=4096)
def cached_did(reseller_id: str, number: str, terms_version: int) -> Ownership:
    """The ownership of one DID (``+<digits>``), cached until terms change."""
    return _as_ownership(term_versions.did_assignments(reseller_id, number, terms_version))


@dataclass(frozen=True)
class Accounts(Collection[str]):
    """The user names of a reseller's sub-accounts as of a terms version.

    Names that begin like numbers are read together, once, because nearly every dialled number is asked for here; each
    other one is looked up when it is asked for.
    """

    reseller_id: str
    terms_version: int

    def __contains__(self, name: object) -> bool:
        if not isinstance(name, str) or not is_account(name):
            return False
        if name < term_versions.FIRST_WORD:
            return name in _numeric_accounts(self.reseller_id, self.terms_version)
        return bool(cached_account(self.reseller_id, name, self.terms_version).accounts())

    def __iter__(self) -> Iterator[str]:
        return iter(_ownership(self.reseller_id, self.terms_version).accounts())

    def __len__(self) -> int:
        return len(_ownership(self.reseller_id, self.terms_version).accounts())


@lru_cache(maxsize=64)
def _numeric_accounts(reseller_id: str, version: int) -> frozenset[str]:
    return term_versions.numeric_accounts(reseller_id, version)


@lru_cache(maxsize=8)
def terms(reseller_id: str, version: int) -> Terms:
    """A reseller's packages and custom rates as of a terms version."""
    packages = [_package(row) for row in term_versions.packages(reseller_id, version)]
    return Terms(packages, rates_upto(reseller_id, version))


def _package(row: Any) -> PackageVersion:
    price = row.price
    pulse = price.get("pulse") or {"initial": 0, "increment": 0}
    routes = price["routes"]
    return PackageVersion(
        package_id=row.package_id,
        version=row.version,
        effective_from=row.effective_from,
        markup_fixed_e10=price["markup_fixed_e10"],
        markup_percent_e4=price["markup_percent_e4"],
        initial=pulse["initial"],
        increment=pulse["increment"],
        connection_fee_e8=price["connection_fee_e8"],
        minimum_charge_e8=price["minimum_charge_e8"],
        call_decimals=price["call_decimals"],
        rate_decimals=price["rate_decimals"],
        routes=(routes["us"], routes["canada"], routes["international"]),
        free_minutes=price["free_minutes"],
        free_minutes_scope=tuple(price["free_minutes_scope"]),
    )


@lru_cache(maxsize=8)
def _ownership(reseller_id: str, version: int) -> Ownership:
    return _as_ownership(term_versions.assignments(reseller_id, version))


def _as_ownership(rows: Iterable[Any]) -> Ownership:
    accounts, dids = defaultdict[str, list[Holding]](list), defaultdict[str, list[Holding]](list)
    for row in rows:
        (accounts if row.is_account else dids)[row.name].append(_holding(row))
    return Ownership(accounts, dids)


def _holding(row: Any) -> Holding:
    return Holding(*_HOLDING_FIELDS(row))


def _decks(version: int) -> dict[str, list[DeckVersion]]:
    """The decks of each route that count, by their first day."""
    return {route: counting(route, version) for route in ROUTES}


def _codes(decks: dict[str, list[DeckVersion]], home: str) -> frozenset[str]:
    """The short numbers that any of these decks prices for resellers with this home country.

    Those of past and future decks too: a number is read in one way, whenever the call was made.
    """
    rows = (row for of_route in decks.values() for row in of_route)
    items = (item for row in rows for item in row.short_numbers.items())
    return frozenset(digits for digits, homes in items if not homes or home in homes)


def _opened(decks: dict[str, list[DeckVersion]]) -> dict[str, list[tuple[int, Callable[[], Deck]]]]:
    """As ``RateBook.decks``: the first instant of each deck, and a function that opens it."""
    utc = periods.calendar("UTC")
    return {
        route: [(utc.day_start(row.effective_from), partial(open_deck, row.object_key)) for row in rows]
        for route, rows in decks.items()
    }


def given_cost(route: str, at: int, line: DeckLine) -> GivenCost | None:
    """What a line of the deck in force at an instant cost before it was converted; ``None`` if it was not."""
    drop = _converted(route, periods.utc_day(at), deck_version())
    if drop is None:
        return None
    given = line_like(open_deck(str(drop.given_key)), line)
    return GivenCost(str(drop.cost_currency), int(drop.fx_e10 or 0), given.rate_e10, given.fee_e8)


@lru_cache(maxsize=64)
def _converted(route: str, day: str, version: int) -> DeckDrop | None:
    """The deck of a route in force on a UTC day, if its costs were converted."""
    rows = [row for row in counting(route, version) if row.effective_from <= day]
    drop = drop_of(rows[-1].deck_id) if rows else None
    return drop if drop and drop.fx_e10 else None


@lru_cache(maxsize=8)
def open_deck(object_key: str) -> Deck:
    """The compiled deck in an object."""
    return Deck.load(objects.read(object_key))
