"""May this call start? A switch asks; the answer has the terms by which the call is rated, and may hold its price.

No client overspends, however many calls ask at once. A hold is written in one transaction with the head of the client's
holds, on condition that the head is as it was read, so holds are made one after the other. The client is read after the
head. So its balance is never older than the sums: a batch debits first and ends the holds afterwards. Any other change
of the balance meanwhile counts as one that came after the hold.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from chalicelib import periods
from chalicelib.accounts import rules
from chalicelib.accounts.ledger import posting
from chalicelib.accounts.service import term_versions
from chalicelib.aws.transactions import Change, Put, Remove, Scope, commit, find_each, new_id, settled
from chalicelib.dialling import SHORT_MOST
from chalicelib.errors import Conflict, Forbidden, NotFound
from chalicelib.fields import is_username
from chalicelib.principals import Principal
from chalicelib.rating.authorizations import decision, holds, store
from chalicelib.rating.authorizations.decision import ClientLimits, Verdict
from chalicelib.rating.authorizations.store import Hold, HoldsHead
from chalicelib.rating.decks.store import DeckHead
from chalicelib.rating.pricing import loading, price, quotes
from chalicelib.rating.pricing.price import CallTerms
from chalicelib.rating.shapes.authorizations import AuthorizationIn

_PRICE = ("rate_e10", "initial", "increment", "fee_e14", "minimum_e8", "grace_seconds", "decimals")
"""The fields of ``CallTerms`` that an amount depends on."""


@dataclass(frozen=True)
class Authorization:
    """The answer to a switch; ``id`` and ``expires_at`` are of the hold, None without one."""

    allowed: bool
    reason: str
    max_seconds: int | None
    hangup_after: int | None
    rate_e10: int | None
    id: str | None = None
    expires_at: int | None = None


@dataclass(frozen=True)
class _Request:
    """A call that wants to start, the client who would pay for it, and its terms.

    ``client_id`` is empty when no client holds the account, ``terms`` None when there is no rate.
    """

    reseller_id: str
    account: str
    call_id: str
    number: str
    client_id: str
    terms: CallTerms | None
    day: str
    reserve_seconds: int


def ask(scope: Scope, who: Principal, body: AuthorizationIn) -> Authorization:
    """Whether a call may start. An emergency call always may, and nothing is held for it."""
    if _is_emergency(who.reseller_id, body.number):
        return Authorization(True, "ok", None, None, 0)
    if who.standing != "active":
        raise Forbidden(f"The reseller account is {who.standing}; until it is active this key may only read.")
    return _ask(scope, who.reseller_id, body)


def _is_emergency(reseller_id: str, number: str) -> bool:
    # The reseller is read for short numbers only: no other is an emergency number in any country.
    if sum(map(str.isdigit, number)) > SHORT_MOST and ":" not in number:
        return False
    return posting.get_reseller(reseller_id).dial_plan.is_emergency(number)


@settled
def finish(scope: Scope, reseller_id: str, hold_id: str, seconds: int) -> Hold:
    """The call has ended: hold its real price until its record is rated. 404 when the record was rated already."""
    head, hold = _held(scope, reseller_id, hold_id)
    if hold.finished:
        if hold.seconds != seconds:
            raise Conflict(f"This call has finished already, after {hold.seconds} seconds.")
        return hold
    before, hold.seconds = hold.amount_e8, seconds
    hold.amount_e8 = price.amount_e8(CallTerms("", **hold.terms), seconds)
    changed = Change(hold, [Hold.seconds.set(seconds), Hold.amount_e8.set(hold.amount_e8)], Hold.pk.exists())
    commit(scope, [store.next_head(head, scope.now, [(hold, hold.amount_e8 - before)]), changed], hold)
    return hold


@settled
def void(scope: Scope, reseller_id: str, hold_id: str) -> None:
    """The call was never made: hold nothing for it. 409 when it has finished."""
    head, hold = _held(scope, reseller_id, hold_id)
    if hold.finished:
        raise Conflict("This call has finished; its hold ends when its record is rated.")
    gone = store.next_head(head, scope.now, [(hold, -hold.amount_e8)])
    commit(scope, [gone, Remove(hold, Hold.pk.exists())])


@settled
def _ask(scope: Scope, reseller_id: str, body: AuthorizationIn) -> Authorization:
    request = _resolve(scope.now, reseller_id, body)
    if not request.client_id:
        return Authorization(False, "unknown_account", 0, 0, None)
    # The head first, then the client: see the top of this file.
    head, hold = _head_and_hold(request)
    if hold and not hold.is_open(scope.now):
        hold = None
    name = _hold_name(request) if request.call_id else new_id()
    if hold and hold.finished:
        # Its price stays held until its record is rated; the same id is another call from now on.
        hold, name = None, new_id()
    verdict = decision.decide(_limits(request, head, scope.now, hold), request.terms, request.reserve_seconds)
    rate_e10 = request.terms.rate_e10 if request.terms else None
    if hold:
        # The same call asks again: it keeps its hold, also if the client could not pay for a new one.
        most = verdict.max_seconds if verdict.allowed else hold.held_seconds
        return _answer(Verdict("ok", most), rate_e10, hold)
    if not request.reserve_seconds or not verdict.allowed:
        return _answer(verdict, rate_e10, None)
    hold = _new_hold(request, name, verdict, scope.now)
    answer = _answer(verdict, rate_e10, hold)
    expired = Hold.pk.does_not_exist() | (Hold.expires_at <= scope.now)
    grown = store.next_head(head, scope.now, [(hold, verdict.hold_e8)])
    commit(scope, [grown, Put(hold, expired)], answer)
    return answer


def _resolve(now: int, reseller_id: str, body: AuthorizationIn) -> _Request:
    """The request with its client and terms, from a rate book that the container keeps until terms or decks change."""
    head, reseller, decks = find_each(*term_versions.pricing_keys(reseller_id), (DeckHead, *DeckHead.key()))
    version, deck_version = head.version, decks.version if decks else 0
    call_id, reserve = body.call_id or "", body.reserve_seconds or 0
    day = periods.local_day(now, periods.zone(reseller.time_zone))
    holding = None
    if is_username(body.account):
        holding = loading.cached_account(reseller_id, body.account, version).account(body.account, now)
    if holding is None:
        return _Request(reseller_id, body.account, call_id, body.number, "", None, day, reserve)
    by_record = reseller.cost_source == "record"
    plan = reseller.dial_plan
    book = loading.cached_rate_book(reseller_id, reseller.time_zone, plan, version, deck_version, by_record)
    number, terms = body.number, None
    try:
        number = quotes.called(body.number, book.plan)
        terms = book.outbound(holding.package_id, now, number)
    except ValueError:
        pass  # What was dialled is not a number, so there is no rate for it.
    return _Request(reseller_id, body.account, call_id, number, holding.client_id, terms, day, reserve)


def _head_and_hold(request: _Request) -> tuple[HoldsHead, Hold | None]:
    """The head of the client's holds, then the hold that the call has from an earlier request, if any."""
    head = store.head_of(request.client_id)
    if not request.call_id or not request.reserve_seconds:
        return head, None
    return head, Hold.find(*Hold.key(request.client_id, _hold_name(request)))


def _limits(request: _Request, head: HoldsHead, now: int, own: Hold | None) -> ClientLimits:
    """The client's limits, leaving out the call's ``own`` hold."""
    client, sums = posting.get_client(request.reseller_id, request.client_id), head.sums()
    if own:
        sums = sums.changed(now, own.expires_at, own.day, -own.amount_e8)
    available, daily = rules.available_e8(client.account()), client.daily_limit_e8
    spent = client.spent.get(request.day, 0) + sums.made_on_e8(request.day)
    return ClientLimits(
        status=client.status,
        service=client.service,
        available_e8=None if available is None else available - sums.open_e8(now),
        blocked_countries=frozenset(client.blocked_countries),
        max_rate_e10=client.max_rate_e10,
        left_today_e8=None if daily is None else daily - spent,
    )


def _new_hold(request: _Request, name: str, verdict: Verdict, now: int) -> Hold:
    assert request.terms is not None
    kept = request.terms._asdict()
    return Hold(
        *Hold.key(request.client_id, name),
        reseller_id=request.reseller_id,
        client_id=request.client_id,
        account=request.account,
        number=request.number,
        call_id=request.call_id,
        made_at=now,
        day=request.day,
        terms={name: kept[name] for name in _PRICE},
        held_seconds=verdict.held_seconds,
        amount_e8=verdict.hold_e8,
        expires_at=holds.expiry(now),
    )


def _hold_name(request: _Request) -> str:
    """The name of the hold: the same for the same account, call id and number, so a call cannot be held twice."""
    words = "\0".join((request.account, request.call_id, request.number))
    return hashlib.sha256(words.encode()).hexdigest()[:26]


def _answer(verdict: Verdict, rate_e10: int | None, hold: Hold | None) -> Authorization:
    return Authorization(
        allowed=verdict.allowed,
        reason=verdict.reason,
        max_seconds=verdict.max_seconds,
        hangup_after=decision.hang_up_after(verdict, hold.held_seconds if hold else 0),
        rate_e10=rate_e10,
        id=hold.id if hold else None,
        expires_at=hold.expires_at if hold else None,
    )


def _held(scope: Scope, reseller_id: str, hold_id: str) -> tuple[HoldsHead, Hold]:
    """An open hold of this reseller, and the head that was read before it; else ``NotFound``."""
    head, hold = store.hold_of(hold_id)
    if hold is None or hold.reseller_id != reseller_id or not hold.is_open(scope.now):
        raise NotFound()
    return head, hold
