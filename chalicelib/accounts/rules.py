"""What an entry does to its owner, as values: balance, month, service, and the crossings worth telling.

The rules are the table of ``docs/ledger.md``; its tests read that table. Nothing is written here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from chalicelib import periods

KINDS = (
    "payment",
    "charge",
    "call_usage",
    "package_setup",
    "package_monthly",
    "did_setup",
    "did_monthly",
    "deposit",
    "refund",
    "chargeback",
    "recredit",
    "hostname",
    "tax",
    "adjustment",
    "reversal",
)
IRREVERSIBLE = ("call_usage", "reversal", "deposit", "refund", "chargeback", "recredit")
"""Kinds that a reversal refuses: calls are re-rated, and PayPal's entries follow PayPal."""

KEPT_DAYS = 4
"""Days of spending that a client remembers: yesterday, today, tomorrow (of a switch whose clock is ahead), one more."""


@dataclass(frozen=True)
class Account:
    """The part of an owner that entries change. Amounts are ``_e8``.

    ``credit_limit_e8`` is ``None`` for no limit; ``low`` says that the low-balance threshold is crossed and told.
    ``closed_through`` is the last closed month, ``""`` when none is. ``posted_at`` is the instant of the last entry.
    """

    balance_e8: int = 0
    entries: int = 0
    strict: bool = False
    limited: bool = True
    credit_limit_e8: int | None = None
    threshold_e8: int | None = None
    service: str = "active"
    low: bool = False
    closed_through: str = ""
    posted_at: int = 0


@dataclass(frozen=True)
class Posting:
    """An entry that is wanted. ``amount_e8`` is positive for a credit. ``usage_month`` is where it belongs by date."""

    kind: str
    amount_e8: int
    description: str
    usage_month: str
    source: str = ""
    reversal_of: str = ""


@dataclass(frozen=True)
class Posted:
    """An entry as it will stand: the account after it, its place and month, and what was crossed by it."""

    account: Account
    sequence: int
    period: str
    crossings: tuple[str, ...]


def service_of(balance_e8: int, strict: bool, credit_limit_e8: int | None) -> str:
    """``suspended`` for a strict client exactly while its balance is zero or less, for a permissive one only while it
    is under minus the credit limit."""
    if strict:
        return "suspended" if balance_e8 <= 0 else "active"
    return "suspended" if credit_limit_e8 is not None and balance_e8 < -credit_limit_e8 else "active"


def available_e8(account: Account) -> int | None:
    """What the client may still spend on calls: the balance, and for a permissive client its credit; None: no limit."""
    if account.strict:
        return account.balance_e8
    return None if account.credit_limit_e8 is None else account.balance_e8 + account.credit_limit_e8


def spent_after(before: Mapping[str, int], added: Mapping[str, int]) -> dict[str, int]:
    """Spending on calls by local day after some more; only the latest days are kept."""
    days = sorted({*before, *added})[-KEPT_DAYS:]
    return {day: before.get(day, 0) + added.get(day, 0) for day in days}


def settle_service(account: Account) -> tuple[Account, tuple[str, ...]]:
    """The account with ``service`` and ``low`` true to its balance, and the crossings on the way.

    An account that is not ``limited`` (a reseller's) is never suspended by its balance.
    """
    service = service_of(account.balance_e8, account.strict, account.credit_limit_e8) if account.limited else "active"
    low = account.threshold_e8 is not None and account.balance_e8 < account.threshold_e8
    crossings = []
    if service != account.service:
        crossings.append("suspended" if service == "suspended" else "resumed")
    if low and not account.low:
        crossings.append("low_balance")
    return replace(account, service=service, low=low), tuple(crossings)


def period_of(usage_month: str, closed_through: str) -> str:
    """The month an entry is counted in: its own while that is open, else the first open one."""
    if closed_through and usage_month <= closed_through:
        return periods.next_month(closed_through)
    return usage_month


def post(account: Account, posting: Posting, now: int = 0) -> Posted:
    """Apply one entry."""
    return post_together(account, [posting], now)[0]


def post_together(account: Account, postings: Sequence[Posting], now: int = 0) -> list[Posted]:
    """Apply several entries of one transaction: service and crossings are those of their sum.

    So a debit that is reversed and posted anew at the same instant neither suspends nor resumes anybody in between.
    Their instant is ``now``, but never before that of the entry before them: clocks differ, and a ledger must be in one
    order by number and by time, or a statement from one day to another would not add up.
    """
    account = replace(account, posted_at=max(account.posted_at, now)) if postings else account
    posted: list[Posted] = []
    for posting in postings:
        if posting.kind not in KINDS:
            raise ValueError(f"unknown kind of entry: {posting.kind}")
        account = replace(account, balance_e8=account.balance_e8 + posting.amount_e8, entries=account.entries + 1)
        posted.append(Posted(account, account.entries, period_of(posting.usage_month, account.closed_through), ()))
    if posted:
        settled, crossings = settle_service(account)
        posted[-1] = replace(posted[-1], account=settled, crossings=crossings)
    return posted
