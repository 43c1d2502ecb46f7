"""What an entry changes of its owner: balance, month and service. Pure: values in, values out.

A *crossing* is what an entry may cause: the client is suspended or resumed, or the balance falls under the low-balance
threshold. The rules are the table of ``docs/ledger.md``, which the tests read.
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
"""Kinds of entries that cannot be reversed: calls are rated again, and entries of PayPal follow PayPal."""

KEPT_DAYS = 4
"""Days of spending that a client's item has: yesterday, today, tomorrow (a switch's clock may be ahead), one more."""


@dataclass(frozen=True)
class Account:
    """The part of an owner that entries change, and the settings that decide its service.

    ``strict``: a client must have a positive balance; otherwise it is permissive, and may have a negative one down to
    minus ``credit_limit_e8`` (``None``: no limit). ``limited``: false for a reseller. ``low``: the balance is under
    ``threshold_e8``. ``closed_through``: last closed month, ``""`` for none. ``posted_at``: instant of the last entry.
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
    """An entry to be posted. ``amount_e8``: positive for a credit. ``usage_month``: the month it belongs to by date."""

    kind: str
    amount_e8: int
    description: str
    usage_month: str
    source: str = ""
    reversal_of: str = ""


@dataclass(frozen=True)
class Posted:
    """A posting as an entry: the account after it, its number in the ledger, the month it counts in, its crossings."""

    account: Account
    sequence: int
    period: str
    crossings: tuple[str, ...]


def service_of(balance_e8: int, strict: bool, credit_limit_e8: int | None) -> str:
    """``suspended`` or ``active``.

    A strict client is suspended while its balance is zero or less, a permissive one while it is under minus its limit.
    """
    if strict:
        return "suspended" if balance_e8 <= 0 else "active"
    return "suspended" if credit_limit_e8 is not None and balance_e8 < -credit_limit_e8 else "active"


def available_e8(account: Account) -> int | None:
    """What a client may spend on calls: its balance, plus the credit limit of a permissive one; ``None``: no limit."""
    if account.strict:
        return account.balance_e8
    return None if account.credit_limit_e8 is None else account.balance_e8 + account.credit_limit_e8


def spent_after(before: Mapping[str, int], added: Mapping[str, int]) -> dict[str, int]:
    """Spending by local day, ``_e8``, with more added; only the latest ``KEPT_DAYS`` days."""
    days = sorted({*before, *added})[-KEPT_DAYS:]
    return {day: before.get(day, 0) + added.get(day, 0) for day in days}


def settle_service(account: Account) -> tuple[Account, tuple[str, ...]]:
    """The account with ``service`` and ``low`` as its balance demands, and the crossings that this causes.

    An account that is not ``limited`` is never suspended.
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
    """The month that an entry counts in: its own if that is open, else the first open one."""
    if closed_through and usage_month <= closed_through:
        return periods.next_month(closed_through)
    return usage_month


def post(account: Account, posting: Posting, now: int = 0) -> Posted:
    """Post one entry at an instant; ``ValueError`` for an unknown kind."""
    return post_together(account, [posting], now)[0]


def post_together(account: Account, postings: Sequence[Posting], now: int = 0) -> list[Posted]:
    """Post several entries in one transaction: service and crossings are those of their sum.

    So a debit that is reversed and posted again in one transaction neither suspends nor resumes a client. The instant
    of the entries is ``now``, or that of the entry before them if it is later: clocks differ, and a ledger must have
    the same order by number and by time, or a statement from one day to another would not add up.
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
