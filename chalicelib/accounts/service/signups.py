"""Strangers who ask to become a client, at a link that nobody can guess.

What they write is stored as a client in ``waiting``: it can have nothing until the reseller sets it to ``active``.
The answer is the same whatever the e-mail address, and a link takes a bounded number a day.
"""

from __future__ import annotations

import secrets

from chalicelib import periods
from chalicelib.accounts.ledger.posting import get_reseller, owner_change
from chalicelib.accounts.service.clients import began_with, new_client
from chalicelib.accounts.shapes.clients import ClientIn, SignupIn
from chalicelib.accounts.store.intake import SignupDay, SignupLink
from chalicelib.accounts.store.owners import Client, Reseller
from chalicelib.aws.transactions import Put, Remove, Scope, Write, commit, event, new_id, settled
from chalicelib.errors import NotFound, TooFast

MOST_A_DAY = 100
"""Sign-ups that one reseller's link takes in a UTC day."""
_KEPT_SECONDS = 3 * periods.DAY_SECONDS


@settled
def open_link(scope: Scope, reseller_id: str) -> Reseller:
    """A new link; the one before ends in the same moment."""
    owner = get_reseller(reseller_id)
    before, owner.signup_token = owner.signup_token, secrets.token_urlsafe(32)
    writes: list[Write] = [
        owner_change(owner, owner.account(), Reseller.signup_token.set(owner.signup_token)),
        Put(SignupLink(*SignupLink.key(owner.signup_token), reseller_id=reseller_id)),
        *_gone(before),
        event(scope, reseller_id, "signup.opened", reseller_id),
    ]
    commit(scope, writes, owner)
    return owner


@settled
def end_link(scope: Scope, reseller_id: str) -> None:
    """From now on nobody can ask to join; nothing to do when nobody could."""
    owner = get_reseller(reseller_id)
    if owner.signup_token:
        writes = [owner_change(owner, owner.account(), Reseller.signup_token.remove()), *_gone(owner.signup_token)]
        commit(scope, [*writes, event(scope, reseller_id, "signup.ended", reseller_id)])


@settled
def sign_up(scope: Scope, token: str, body: SignupIn) -> Client:
    """A client that waits. It starts ``strict``: who is not known yet pays first, unless the reseller says otherwise.

    404 for a link that is not, or no longer, or whose reseller is not active; 429 when it had enough for today.
    """
    link = SignupLink.find(*SignupLink.key(token))
    reseller = Reseller.find(*Reseller.key(link.reseller_id)) if link else None
    if reseller is None or reseller.status != "active":
        raise NotFound("There is no such sign-up link.")
    counted = _one_more(scope, reseller.reseller_id)
    asked = ClientIn(**dict(body), balance_mode="strict")
    item = new_client(scope, reseller.reseller_id, new_id(), asked, status="waiting")
    recorded = event(scope, reseller.reseller_id, "client.signed_up", item.client_id, began_with(item))
    commit(scope, [Put(item), counted, recorded], item)
    return item


def _one_more(scope: Scope, reseller_id: str) -> Write:
    """Count a sign-up; the condition keeps two at once from passing the limit together."""
    key = SignupDay.key(reseller_id, periods.utc_day(scope.now))
    today = SignupDay.find(*key)
    if today is None:
        return Put(SignupDay(*key, asked=1, expires_at=scope.now + _KEPT_SECONDS))
    asked = today.asked
    if asked >= MOST_A_DAY:
        left = periods.DAY_SECONDS - scope.now % periods.DAY_SECONDS
        raise TooFast("This link has had as many sign-ups as it takes in a day; try again tomorrow.", retry_after=left)
    return Put(SignupDay(*key, asked=asked + 1, expires_at=today.expires_at), SignupDay.asked == asked)


def _gone(token: str | None) -> list[Write]:
    return [Remove(SignupLink(*SignupLink.key(token)), SignupLink.pk.exists())] if token else []
