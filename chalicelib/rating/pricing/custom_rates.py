"""Custom rates of a package: dated versions of a rate for a prefix, a country or a group, instead of the markup."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import islice

from chalicelib import dated, numbers
from chalicelib.accounts.service import packages, term_versions
from chalicelib.aws.transactions import Put, Scope, commit, event, settled
from chalicelib.errors import Invalid, NotFound, existing
from chalicelib.rating.pricing.precedence import CustomRate
from chalicelib.rating.pricing.store import CustomRateItem, rates_of

_PRICED = (
    "rate_e10",
    "initial",
    "increment",
    "connection_fee_e8",
    "minimum_charge_e8",
    "grace_seconds",
    "effective_from",
)
GROUPS = ("us", "canada")


def check_code(scope: str, code: str) -> str:
    """A code as it is stored: digits without ``+``, capitals. ``NotFound``: unknown scope; ``Invalid``: bad code."""
    if scope == "prefix":
        digits = code.removeprefix("+")
        if not re.fullmatch(r"[1-9][0-9]{0,14}", digits, re.ASCII):
            raise Invalid.field("code", "must be a dialling prefix of 1 to 15 digits, such as 1514")
        return digits
    if scope == "country":
        if code.upper() not in _countries():
            raise Invalid.field("code", "must be a country as ISO alpha-2, such as GB")
        return code.upper()
    if scope == "group":
        if code not in GROUPS:
            raise Invalid.field("code", "must be us or canada")
        return code
    raise NotFound("A custom rate has the scope prefix, country or group.")


@lru_cache(maxsize=1)
def _countries() -> frozenset[str]:
    return frozenset(filter(None, numbers.country_prefixes().values()))


@settled
def put_rate(
    scope: Scope, reseller_id: str, package_id: str, rate: CustomRateItem, effective_from: int | None
) -> CustomRate:
    """Record a new version of a custom rate and return it; ``rate``: its scope, code and price.

    A price without ``rate_e10`` withdraws the rate. ``effective_from`` ``None``: the first version always held, others
    hold from now on. Raises ``NotFound`` for an unknown package or scope, or nothing to withdraw; ``Invalid`` for a
    bad code or instant.
    """
    rate.code = check_code(rate.scope, rate.code)
    packages.get(reseller_id, package_id)
    before = versions(reseller_id, package_id, rate.scope, rate.code)
    if rate.attribute_values.get("rate_e10") is None and shown(before, scope.now) is None:
        raise NotFound("There is no such custom rate.")
    version, taken = term_versions.next_version(term_versions.head_of(reseller_id))
    rate.pk, rate.sk = CustomRateItem.key(reseller_id, package_id, rate.scope, rate.code, version)
    rate.package_id, rate.version = package_id, version
    rate.effective_from = term_versions.effective(not before, effective_from, scope.now)
    subject, last = f"{package_id}/{rate.scope}/{rate.code}", before[-1] if before else None
    (made,) = rate.rates()
    fields = _audit_fields(made), _audit_fields(last) if last else None
    commit(scope, [Put(rate), taken, event(scope, reseller_id, "rate.changed", subject, *fields)], made)
    return made


def versions(reseller_id: str, package_id: str, scope: str, code: str) -> list[CustomRate]:
    """Every version of one custom rate, in the order of recording."""
    alone = rates_of(CustomRateItem.under(*CustomRateItem.of_rate(reseller_id, package_id, scope, code)))
    imported = rates_of(CustomRateItem.under(*CustomRateItem.of_sheets(reseller_id, package_id)))
    mine = [rate for rate in imported if (rate.scope, rate.code) == (scope, code)]
    return sorted([*alone, *mine], key=lambda rate: rate.version)


def shown(recorded: Sequence[CustomRate], now: int) -> CustomRate | None:
    """The version of one custom rate that is in force, else the next one; ``None``: neither sets a rate."""
    effective = dated.standing(recorded)
    past = [row for row in effective if row.effective_from <= now]
    return next((row for row in [*past[-1:], *effective[len(past) :]] if not _is_withdrawn(row)), None)


def get_rate(reseller_id: str, package_id: str, scope: str, code: str, now: int) -> CustomRate:
    """One custom rate as ``shown``; ``NotFound`` if there is none or it was withdrawn."""
    rate = shown(versions(reseller_id, package_id, scope, check_code(scope, code)), now)
    return existing(rate, "There is no such custom rate.")


def list_rates(reseller_id: str, package_id: str, now: int, after: str | None, limit: int | None) -> list[CustomRate]:
    """Up to ``limit`` custom rates of a package as ``shown``, in the order of their ``place``, behind ``after``."""
    packages.get(reseller_id, package_id)
    recorded = recorded_by_place(reseller_id, package_id)
    places = sorted(place for place in recorded if after is None or place > after)
    rates = (shown(recorded[place], now) for place in places)
    return list(islice((rate for rate in rates if rate is not None), limit))


def recorded_by_place(reseller_id: str, package_id: str) -> dict[str, list[CustomRate]]:
    """Every version of every custom rate of a package, by ``place``."""
    recorded: dict[str, list[CustomRate]] = {}
    for rate in rates_of(CustomRateItem.under(*CustomRateItem.of_package(reseller_id, package_id))):
        recorded.setdefault(rate.place, []).append(rate)
    return recorded


def _audit_fields(rate: CustomRate) -> dict[str, object]:
    return {name: getattr(rate, name) for name in _PRICED}


def _is_withdrawn(rate: CustomRate) -> bool:
    return rate.rate_e10 is None
