"""May this call start? Answered for a switch by the rate book that prices it; money is held back when it asks for it.

Nobody overspends, however many calls ask at once. A hold is written together with the head of its client's holds, under
the condition that the head has not changed since it was read, so holds are made one after the other. The client is read
after the head. So its balance is never older than the sums: a batch debits first and lets go of the holds afterwards.
What else happens to the balance meanwhile happened after the hold, as far as anybody can tell.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from chalicelib import numbers, periods
from chalicelib.accounts import rules
from chalicelib.accounts.ledger import posting
from chalicelib.accounts.service import term_versions
from chalicelib.aws.transactions import Change, Put, Remove, Scope, commit, find_each, new_id, settle, settled
from chalicelib.errors import Conflict, Forbidden, NotFound
from chalicelib.fields import is_username
from chalicelib.principals import Principal
from chalicelib.rating.authorizations import decision, holds, store
from chalicelib.rating.authorizations.decision import Standing, Verdict
from chalicelib.rating.authorizations.store import Hold, HoldsHead
from chalicelib.rating.decks.store import DeckHead
from chalicelib.rating.pricing import loading, price, quotes
from chalicelib.rating.pricing.price import CallTerms
from chalicelib.rating.shapes.authorizations import AuthorizationIn

_PRICE = ("rate_e10", "initial", "increment", "fee_e14", "minimum_e8", "grace_seconds", "decimals")
"""The fields of ``CallTerms`` that an amount depends on."""


@dataclass(frozen=True)
class Authorization:
    """The answer to a switch; ``id`` and ``expires_at`` are the hold's."""

    allowed: bool
    reason: str
    max_seconds: int | None
    hangup_after: int | None
    rate_e10: int | None
    id: str | None = None
    expires_at: int | None = None


@dataclass(frozen=True)
class _Asked:
    """A call somebody wants to make: whose it is, and by what terms. ``client_id`` empty: nobody's."""

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
    if numbers.is_emergency(body.number):
        return Authorization(True, "ok", None, None, 0)
    if who.standing != "active":
        raise Forbidden(f"The reseller account is {who.standing}; until it is active this key may only read.")
    return settle(lambda: _ask(scope, who.reseller_id, body))


@settled
def finish(scope: Scope, reseller_id: str, hold_id: str, seconds: int) -> Hold:
    """The call has ended: hold its real price until its record is rated. 404 when that has happened already."""
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


def _ask(scope: Scope, reseller_id: str, body: AuthorizationIn) -> Authorization:
    asked = _asked(scope.now, reseller_id, body)
    if not asked.client_id:
        return Authorization(False, "unknown_account", 0, 0, None)
    # The head first, then the client: see above.
    head, hold = _head_and_hold(asked)
    if hold and int(hold.expires_at or 0) <= scope.now:
        hold = None
    name = _name(asked) if asked.call_id else new_id()
    if hold and hold.finished:
        # Its price stays held until its record comes; whoever uses the id again makes another call.
        hold, name = None, new_id()
    verdict = decision.decide(_standing(asked, head, scope.now, hold), asked.terms, asked.reserve_seconds)
    rate_e10 = asked.terms.rate_e10 if asked.terms else None
    if hold:
        # The same call asks again: it has its hold already, whatever became of the client since.
        most = verdict.max_seconds if verdict.allowed else hold.held_seconds
        return _answer(Verdict("ok", most), rate_e10, hold)
    if not asked.reserve_seconds or not verdict.allowed:
        return _answer(verdict, rate_e10, None)
    hold = _new_hold(asked, name, verdict, scope.now)
    answer = _answer(verdict, rate_e10, hold)
    expired = Hold.pk.does_not_exist() | (Hold.expires_at <= scope.now)
    grown = store.next_head(head, scope.now, [(hold, verdict.hold_e8)])
    commit(scope, [grown, Put(hold, expired)], answer)
    return answer


def _asked(now: int, reseller_id: str, body: AuthorizationIn) -> _Asked:
    """What is asked, looked up in the rate book that the container keeps until terms or decks change."""
    head, reseller, decks = find_each(*term_versions.pricing_keys(reseller_id), (DeckHead, *DeckHead.key()))
    version, deck_version = head.version, decks.version if decks else 0
    call_id, reserve = body.call_id or "", body.reserve_seconds or 0
    day = periods.local_day(now, periods.zone(reseller.time_zone))
    known = is_username(body.account)
    holding = loading.cached_account(reseller_id, body.account, version).account(body.account, now) if known else None
    if holding is None:
        return _Asked(reseller_id, body.account, call_id, body.number, "", None, day, reserve)
    by_record = reseller.cost_source == "record"
    book = loading.cached_rate_book(reseller_id, reseller.time_zone, version, deck_version, by_record)
    number, terms = body.number, None
    try:
        number = quotes.called(body.number, reseller.home_country)
        terms = book.outbound(holding.package_id, now, number)
    except ValueError:
        pass  # People dial what is no number: nothing has a price for it.
    return _Asked(reseller_id, body.account, call_id, number, holding.client_id, terms, day, reserve)


def _head_and_hold(asked: _Asked) -> tuple[HoldsHead, Hold | None]:
    """The head of the client's holds, then the hold that this call may have already."""
    pk = f"H#{asked.client_id}"
    head = store.head_of(pk)
    return head, Hold.find(pk, f"HOLD#{_name(asked)}") if asked.call_id and asked.reserve_seconds else None


def _standing(asked: _Asked, head: HoldsHead, now: int, own: Hold | None) -> Standing:
    """The client as it stands without the call's ``own`` hold."""
    client, sums = posting.get_client(asked.reseller_id, asked.client_id), head.sums()
    if own:
        sums = sums.changed(now, int(own.expires_at or 0), own.day, -own.amount_e8)
    available, daily = rules.available_e8(client.account()), client.daily_limit_e8
    spent = client.spent.get(asked.day, 0) + sums.made_on_e8(asked.day)
    return Standing(
        status=client.status,
        service=client.service,
        available_e8=None if available is None else available - sums.open_e8(now),
        blocked_countries=frozenset(client.blocked_countries),
        max_rate_e10=None if client.max_rate_e10 is None else client.max_rate_e10,
        left_today_e8=None if daily is None else int(daily) - spent,
    )


def _new_hold(asked: _Asked, name: str, verdict: Verdict, now: int) -> Hold:
    assert asked.terms is not None
    kept = asked.terms._asdict()
    return Hold(
        f"H#{asked.client_id}",
        f"HOLD#{name}",
        reseller_id=asked.reseller_id,
        client_id=asked.client_id,
        account=asked.account,
        number=asked.number,
        call_id=asked.call_id,
        made_at=now,
        day=asked.day,
        terms={name: kept[name] for name in _PRICE},
        held_seconds=verdict.held_seconds,
        amount_e8=verdict.hold_e8,
        expires_at=holds.expiry(now),
    )


def _name(asked: _Asked) -> str:
    """The same call to the same number has the same name, so it cannot be held twice."""
    words = "\0".join((asked.account, asked.call_id, asked.number))
    return hashlib.sha256(words.encode()).hexdigest()[:26]


def _answer(verdict: Verdict, rate_e10: int | None, hold: Hold | None) -> Authorization:
    return Authorization(
        allowed=verdict.allowed,
        reason=verdict.reason,
        max_seconds=verdict.max_seconds,
        hangup_after=decision.hang_up_after(verdict, hold.held_seconds if hold else 0),
        rate_e10=rate_e10,
        id=hold.id if hold else None,
        expires_at=int(hold.expires_at or 0) if hold else None,
    )


def _held(scope: Scope, reseller_id: str, hold_id: str) -> tuple[HoldsHead, Hold]:
    """A hold and the head that was read before it; 404 for an unknown, a stranger's or an expired one."""
    pk, sk = store.key_of(hold_id)
    head, hold = store.head_of(pk), Hold.find(pk, sk)
    if hold is None or hold.reseller_id != reseller_id or int(hold.expires_at or 0) <= scope.now:
        raise NotFound()
    return head, hold
