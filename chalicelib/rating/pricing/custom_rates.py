"""Custom rates of a package: dated versions of a rate for a prefix, a country or a group, instead of the markup."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice

from chalicelib import dated, numbers
from chalicelib.accounts.service import packages, term_versions
from chalicelib.aws.transactions import Put, Scope, commit, event, settled
from chalicelib.errors import Invalid, NotFound, existing
from chalicelib.rating.pricing.store import CustomRateItem

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
        if code.upper() not in set(numbers.country_prefixes().values()):
            raise Invalid.field("code", "must be a country as ISO alpha-2, such as GB")
        return code.upper()
    if scope == "group":
        if code not in GROUPS:
            raise Invalid.field("code", "must be us or canada")
        return code
    raise NotFound("A custom rate has the scope prefix, country or group.")


@settled
def put_rate(
    scope: Scope, reseller_id: str, package_id: str, rate: CustomRateItem, effective_from: int | None
) -> CustomRateItem:
    """Record a new version of a custom rate and return it; ``rate``: its scope, code and price.

    A price without ``rate_e10`` withdraws the rate. ``effective_from`` ``None``: the first version always held, others
    hold from now on. Raises ``NotFound`` for an unknown package or scope, or nothing to withdraw; ``Invalid`` for a
    bad code or instant.
    """
    rate.code = check_code(rate.scope, rate.code)
    packages.get(reseller_id, package_id)
    before = versions(reseller_id, package_id, rate.scope, rate.code)
    if _is_withdrawn(rate) and shown(before, scope.now) is None:
        raise NotFound("There is no such custom rate.")
    version, taken = term_versions.next_version(term_versions.head_of(reseller_id))
    rate.pk, rate.sk = CustomRateItem.key(reseller_id, package_id, rate.scope, rate.code, version)
    rate.package_id, rate.version = package_id, version
    rate.effective_from = term_versions.effective(not before, effective_from, scope.now)
    subject, last = f"{package_id}/{rate.scope}/{rate.code}", before[-1] if before else None
    fields = _audit_fields(rate), _audit_fields(last) if last else None
    commit(scope, [Put(rate), taken, event(scope, reseller_id, "rate.changed", subject, *fields)], rate)
    return rate


def versions(reseller_id: str, package_id: str, scope: str, code: str) -> list[CustomRateItem]:
    """Every version of one custom rate, in the order of recording."""
    return CustomRateItem.under(*CustomRateItem.of_rate(reseller_id, package_id, scope, code))


def shown(recorded: Sequence[CustomRateItem], now: int) -> CustomRateItem | None:
    """The version of one custom rate that is in force, else the next one; ``None``: neither sets a rate."""
    effective = dated.standing(recorded)
    past = [row for row in effective if row.effective_from <= now]
    return next((row for row in [*past[-1:], *effective[len(past) :]] if not _is_withdrawn(row)), None)


def get_rate(reseller_id: str, package_id: str, scope: str, code: str, now: int) -> CustomRateItem:
    """One custom rate as ``shown``; ``NotFound`` if there is none or it was withdrawn."""
    rate = shown(versions(reseller_id, package_id, scope, check_code(scope, code)), now)
    return existing(rate, "There is no such custom rate.")


def list_rates(reseller_id: str, package_id: str, now: int, after: str | None, limit: int) -> list[CustomRateItem]:
    """Up to ``limit`` custom rates of a package as ``shown``, in the order of their ``place``, behind ``after``."""
    packages.get(reseller_id, package_id)
    recorded: dict[str, list[CustomRateItem]] = {}
    for row in CustomRateItem.under(*CustomRateItem.of_package(reseller_id, package_id)):
        recorded.setdefault(row.place, []).append(row)
    places = sorted(place for place in recorded if after is None or place > after)
    rates = (shown(recorded[place], now) for place in places)
    return list(islice((rate for rate in rates if rate is not None), limit))


def _audit_fields(rate: CustomRateItem) -> dict[str, object]:
    return {name: rate.attribute_values.get(name) for name in _PRICED}


def _is_withdrawn(rate: CustomRateItem) -> bool:
    price: object = rate.rate_e10
    return price is None
