"""May this call start? A switch asks; the answer has the terms by which the call is rated, and may hold its price.

No client overspends, however many calls ask at once. A hold is written in one transaction with the head of the client's
holds, on condition that the head is as it was read, so holds are made one after the other. The client and its spent
free minutes are read after the head. So they are never older than the sums: a batch debits first and ends the holds
afterwards. Any other change of them meanwhile counts as one that came after the hold.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from chalicelib import numbers
from chalicelib.accounts import rules
from chalicelib.accounts.ledger import posting
from chalicelib.accounts.ledger.snapshots import client_and_spent
from chalicelib.accounts.service import term_versions
from chalicelib.accounts.service.asked import note_asked
from chalicelib.aws.transactions import Change, Put, Remove, Scope, commit, find_each, new_id, settled
from chalicelib.calls.format import INBOUND, OUTBOUND
from chalicelib.client_month import ClientMonth
from chalicelib.dialling import DialPlan
from chalicelib.errors import Conflict, Forbidden, Invalid, NotFound
from chalicelib.principals import Principal
from chalicelib.rating.authorizations import decision, holds, payers, store
from chalicelib.rating.authorizations.decision import ClientLimits, Verdict
from chalicelib.rating.authorizations.holds import Sums
from chalicelib.rating.authorizations.payers import Payer
from chalicelib.rating.authorizations.store import Hold, HoldsHead
from chalicelib.rating.cdr import call_ids
from chalicelib.rating.decks.store import DeckHead
from chalicelib.rating.pricing import loading
from chalicelib.rating.pricing.price import CallTerms
from chalicelib.rating.shapes.authorizations import AuthorizationIn

_PRICE = ("rate_e10", "initial", "increment", "fee_e8", "minimum_e8", "grace_seconds", "decimals")
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
    """A call that wants to start. ``day``: the reseller's local day."""

    reseller_id: str
    payer: Payer
    inbound: bool
    call_id: str
    reserve_seconds: int
    day: str

    @property
    def month(self) -> str:
        return self.day[:7]


def ask(scope: Scope, who: Principal, body: AuthorizationIn) -> Authorization:
    """Whether a call may start. An emergency call always may, and nothing is read or held for it.

    Raises ``Invalid`` for an outbound call without an account, ``Forbidden`` while the reseller is not active.
    """
    if numbers.is_emergency(body.number):
        return Authorization(True, "ok", None, None, 0)
    if who.standing != "active":
        raise Forbidden(f"The reseller account is {who.standing}; until it is active this key may only read.")
    if body.account is None and body.direction == OUTBOUND:
        raise Invalid.field("account", "must be given: the user name of the sub-account that calls")
    return _ask(scope, who.reseller_id, body)


@settled
def finish(scope: Scope, reseller_id: str, hold_id: str, seconds: int) -> Hold:
    """The call has ended: hold its real price until its record is rated. 404 when the record was rated already.

    Free seconds that were held pay for it first; of them no more stays held than the call uses.
    """
    head, hold = _held(scope, reseller_id, hold_id)
    if hold.finished:
        if hold.seconds != seconds:
            raise Conflict(f"This call has finished already, after {hold.seconds} seconds.")
        return hold
    kept = decision.when_ended(CallTerms("", **hold.terms), seconds, hold.free_seconds)
    by_e8, by_seconds = kept.amount_e8 - hold.amount_e8, kept.free_seconds - hold.free_seconds
    now_held = {"seconds": seconds, "amount_e8": kept.amount_e8, "free_seconds": kept.free_seconds}
    changed = Change(hold, hold.set_values(now_held), Hold.pk.exists())
    commit(scope, [store.next_head(head, scope.now, [(hold, by_e8, by_seconds)]), changed], hold)
    return hold


@settled
def void(scope: Scope, reseller_id: str, hold_id: str) -> None:
    """The call was never made: hold nothing for it. 409 when it has finished."""
    head, hold = _held(scope, reseller_id, hold_id)
    if hold.finished:
        raise Conflict("This call has finished; its hold ends when its record is rated.")
    gone = store.next_head(head, scope.now, [(hold, -hold.amount_e8, -hold.free_seconds)])
    commit(scope, [gone, Remove(hold, Hold.pk.exists())])


@settled
def _ask(scope: Scope, reseller_id: str, body: AuthorizationIn) -> Authorization:
    terms_head, reseller, decks = find_each(*term_versions.pricing_keys(reseller_id), (DeckHead, *DeckHead.key()))
    note_asked(reseller, scope.now)
    request = _resolve(reseller, terms_head.version, decks, scope.now, body)
    terms = request.payer.terms
    if not request.payer.client_id:
        return Authorization(False, "unknown_account", 0, 0, None)
    # The head first, then the client: see the top of this file.
    head, hold = _head_and_hold(request)
    if hold and not hold.is_open(scope.now):
        hold = None
    name = _hold_name(request) if request.call_id else new_id()
    if hold and hold.finished:
        # Its price stays held until its record is rated; the same id is another call from now on.
        hold, name = None, new_id()
    client, spent_seconds = _client_and_spent(request)
    note_asked(client, scope.now)
    limits = _limits(request, client, spent_seconds, _sums_without(head, hold, scope.now), scope.now)
    verdict = decision.decide(limits, terms, request.reserve_seconds)
    rate_e10 = terms.rate_e10 if terms else None
    if hold:
        # The same call asks again: it keeps its hold, also if the client could not pay for a new one.
        most = verdict.max_seconds if verdict.allowed else hold.held_seconds
        return _answer(Verdict("ok", most), rate_e10, hold)
    if not request.reserve_seconds or not verdict.allowed:
        return _answer(verdict, rate_e10, None)
    hold = _new_hold(request, name, verdict, scope.now)
    answer = _answer(verdict, rate_e10, hold)
    expired = Hold.pk.does_not_exist() | (Hold.expires_at <= scope.now)
    grown = store.next_head(head, scope.now, [(hold, verdict.hold_e8, verdict.hold_free)])
    commit(scope, [grown, Put(hold, expired)], answer)
    return answer


def _resolve(reseller: Any, version: int, decks: Any, now: int, body: AuthorizationIn) -> _Request:
    """The request with its payer, from a rate book that the container keeps until terms or decks change."""
    reseller_id, inbound = reseller.reseller_id, body.direction == INBOUND
    day = reseller.calendar.day_of(now)
    by_record = reseller.cost_source == "record"
    plan, deck_version = DialPlan(reseller.home_country), decks.version if decks else 0
    book = loading.cached_rate_book(reseller_id, reseller.zones, plan, version, deck_version, by_record)
    if inbound:
        payer = payers.of_inbound(book, reseller_id, version, now, body.number)
    else:
        payer = payers.of_outbound(book, reseller_id, version, now, body.account or "", body.number)
    return _Request(reseller_id, payer, inbound, call_ids.read(body.call_id or ""), body.reserve_seconds or 0, day)


def _head_and_hold(request: _Request) -> tuple[HoldsHead, Hold | None]:
    """The head of the client's holds, then the hold that the call has from an earlier request, if any."""
    head = store.head_of(request.payer.client_id)
    if not request.call_id or not request.reserve_seconds:
        return head, None
    return head, Hold.find(*Hold.key(request.payer.client_id, _hold_name(request)))


def _client_and_spent(request: _Request) -> tuple[Any, int]:
    """The client, and the free seconds of the month and the call's package that rated calls have spent.

    Read after the head of the holds: see the top of this file.
    """
    payer = request.payer
    if payer.terms is None or not payer.granted_seconds:
        return posting.get_client(request.reseller_id, payer.client_id), 0
    client_month = ClientMonth(payer.client_id, request.month)
    return client_and_spent(client_month, request.reseller_id, payer.terms.package_id)


def _sums_without(head: HoldsHead, own: Hold | None, now: int) -> Sums:
    """The sums of the client's open holds, leaving out the call's ``own`` hold."""
    sums = head.sums()
    if own is None:
        return sums
    return sums.changed(now, own.expires_at, own.day, -own.amount_e8, own.package_id, -own.free_seconds)


def _limits(request: _Request, client: Any, spent_seconds: int, sums: Sums, now: int) -> ClientLimits:
    """What limits the call, with these sums held. Limits of what may be dialled do not concern an inbound call."""
    available, daily, free_seconds = rules.available_e8(client.account()), client.daily_limit_e8, 0
    spent = client.spent.get(request.day, 0) + sums.made_on_e8(request.day)
    if request.payer.terms and request.payer.granted_seconds:
        held = sums.free_seconds(request.payer.terms.package_id, request.month, now)
        free_seconds = request.payer.granted_seconds - spent_seconds - held
    return ClientLimits(
        status=client.status,
        service=client.service,
        available_e8=None if available is None else available - sums.open_e8(now),
        blocked_countries=frozenset() if request.inbound else frozenset(client.blocked_countries),
        max_rate_e10=None if request.inbound else client.max_rate_e10,
        left_today_e8=None if daily is None else daily - spent,
        free_seconds=free_seconds,
    )


def _new_hold(request: _Request, name: str, verdict: Verdict, now: int) -> Hold:
    terms = request.payer.terms
    assert terms is not None
    kept = terms._asdict()
    return Hold(
        *Hold.key(request.payer.client_id, name),
        reseller_id=request.reseller_id,
        client_id=request.payer.client_id,
        holder=request.payer.holder,
        number=request.payer.number,
        call_id=request.call_id,
        made_at=now,
        day=request.day,
        terms={name: kept[name] for name in _PRICE},
        held_seconds=verdict.held_seconds,
        amount_e8=verdict.hold_e8,
        package_id=terms.package_id if verdict.hold_free else "",
        free_seconds=verdict.hold_free,
        expires_at=holds.expiry(now),
    )


def _hold_name(request: _Request) -> str:
    """The name of the hold: the same for the same holder, call id and number, so a call cannot be held twice."""
    words = "\0".join((request.payer.holder, request.call_id, request.payer.number))
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
