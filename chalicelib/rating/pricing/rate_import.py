"""Importing a file of custom rates into a package: whole or not at all, by one transaction.

The rates that change are stored as a few items, all of one terms version, which the same transaction takes. So a
reader has all of them or none, there is nothing to finish after a crash, and of two imports at once the later one
decides again on what the first one stored. A line that changes nothing is not stored: the same file again is a no-op.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import NamedTuple

from chalicelib import dated
from chalicelib.accounts.ledger import posting
from chalicelib.accounts.service import packages, term_versions
from chalicelib.aws.transactions import Put, Scope, commit, event, settled
from chalicelib.errors import FieldError, Invalid
from chalicelib.rating.decks.deck import DeckLine
from chalicelib.rating.pricing import custom_rates, loading, rate_lines
from chalicelib.rating.pricing.precedence import CustomRate
from chalicelib.rating.pricing.prices_by_prefix import PriceList
from chalicelib.rating.pricing.rate_lines import RateFault, RateLine
from chalicelib.rating.pricing.store import sheets
from chalicelib.rating.pricing.terms import Epoch

LISTED = 10_000
"""Most changes, and rates below cost, in the answer to a dry run: what Lambda can answer."""
LISTED_WHEN_DONE = 500
"""The same in the answer to an import, which is stored with an Idempotency-Key."""
_PRICE = attrgetter(
    "rate_e10", "initial", "increment", "connection_fee_e8", "minimum_charge_e8", "grace_seconds"
)  # fmt: skip


class Changed(NamedTuple):
    """A line that changes the price of a rate. ``old_rate_e10`` ``None``: the rate is new."""

    line: int
    scope: str
    code: str
    old_rate_e10: int | None
    new_rate_e10: int
    effective_from: int


class BelowCost(NamedTuple):
    """A line whose rate is lower than the cost of some of its calls; ``prefix``: the dearest line of the deck."""

    line: int
    scope: str
    code: str
    rate_e10: int
    prefix: str
    destination: str
    cost_e10: int


@dataclass(frozen=True)
class Outcome:
    """What an import changes, or would change; with ``errors`` it changes nothing. ``listed``: how many are shown."""

    dry_run: bool
    lines: int
    new: int
    changed: int
    unchanged: int
    at_a_loss: int
    changes: list[Changed] = field(default_factory=list)
    losses: list[BelowCost] = field(default_factory=list)
    errors: list[RateFault] = field(default_factory=list)


def run(scope: Scope, reseller_id: str, package_id: str, text: str, number_format: str, *, dry_run: bool) -> Outcome:
    """Import a file of custom rates, or with ``dry_run`` say what an import would do.

    ``NotFound`` for an unknown package; ``Invalid`` with every wrong line, and nothing is imported.
    """
    packages.get(reseller_id, package_id)
    lines, faults = rate_lines.read(text, package_id, number_format)
    if faults and dry_run:
        return Outcome(True, len(lines), 0, 0, 0, 0, errors=faults)
    if faults:
        raise _refusal(faults)
    if dry_run:
        return _decided(scope.now, reseller_id, package_id, lines, LISTED)[0]
    return _apply(scope, reseller_id, package_id, lines)


@settled
def _apply(scope: Scope, reseller_id: str, package_id: str, lines: Sequence[RateLine]) -> Outcome:
    # Read first: a change of terms after it makes the commit lose.
    head = term_versions.head_of(reseller_id)
    packages.get(reseller_id, package_id)
    outcome, rates = _decided(scope.now, reseller_id, package_id, lines, LISTED_WHEN_DONE)
    outcome = replace(outcome, dry_run=False)
    if rates:
        version, taken = term_versions.next_version(head)
        fields = {"new": outcome.new, "changed": outcome.changed, "terms_version": version}
        recorded = event(scope, reseller_id, "rates.imported", package_id, fields)
        puts = [Put(item) for item in sheets(reseller_id, package_id, version, rates)]
        commit(scope, [*puts, taken, recorded], outcome)
    return outcome


def _decided(
    now: int, reseller_id: str, package_id: str, lines: Sequence[RateLine], listed: int
) -> tuple[Outcome, list[CustomRate]]:
    """What the lines change in what is stored, and the new versions of rates."""
    recorded = custom_rates.recorded_by_place(reseller_id, package_id)
    changes: list[Changed] = []
    rates: list[CustomRate] = []
    for line in lines:
        rate, stored = line.rate, recorded.get(line.rate.place, [])
        since = term_versions.effective(not stored, line.since, now)
        before = dated.in_force(stored, since)
        if before and _PRICE(before) == _PRICE(rate):
            continue
        rates.append(replace(rate, effective_from=since))
        old = before.rate_e10 if before else None
        changes.append(Changed(line.number, rate.scope, rate.code, old, rate.rate_e10 or 0, since))
    losses = _losses(now, reseller_id, package_id, recorded, lines)
    new = sum(change.old_rate_e10 is None for change in changes)
    unchanged = len(lines) - len(changes)
    outcome = Outcome(
        True, len(lines), new, len(changes) - new, unchanged, len(losses), changes[:listed], losses[:listed]
    )
    return outcome, rates


def _losses(
    now: int,
    reseller_id: str,
    package_id: str,
    recorded: Mapping[str, Sequence[CustomRate]],
    lines: Sequence[RateLine],
) -> list[BelowCost]:
    """The lines that sell below the cost of the decks in force now, as if all lines were in force, too."""
    book = loading.newest_rate_book(posting.get_reseller(reseller_id))
    package = book.terms.package(package_id, now)
    if package is None:
        return []
    in_force = (dated.in_force(versions, now) for versions in recorded.values())
    customs = {_rule(rate): rate for rate in in_force if rate and rate.rate_e10 is not None}
    customs |= {_rule(line.rate): line.rate for line in lines}
    dearest = PriceList(book, package_id, now, epoch=Epoch(package, customs)).dearest_costs()
    found = ((line, dearest.get(_rule(line.rate))) for line in lines)
    return [_loss(line, cost) for line, cost in found if cost and (line.rate.rate_e10 or 0) < cost.rate_e10]


def _loss(line: RateLine, cost: DeckLine) -> BelowCost:
    rate = line.rate
    return BelowCost(
        line.number, rate.scope, rate.code, rate.rate_e10 or 0, cost.prefix, cost.destination, cost.rate_e10
    )


def _rule(rate: CustomRate) -> str:
    return f"{rate.scope}:{rate.code}"


def _refusal(faults: Sequence[RateFault]) -> Invalid:
    errors = tuple(FieldError("rates", _sentence(fault)) for fault in faults)
    return Invalid(f"{len(faults)} cells or lines are wrong; nothing is imported.", errors)


def _sentence(fault: RateFault) -> str:
    where = f"line {fault.line}" + (f", {fault.column}" if fault.column else "")
    return f"{where}: {fault.code}: " + (f'"{fault.value}" ' if fault.value else "") + fault.message
