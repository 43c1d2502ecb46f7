"""People who sign up as clients of a reseller, at a link with a random token.

What they enter is stored as a client whose status is ``waiting``: nothing can be attached to it until the reseller sets
the status to ``active``. The answer does not depend on the e-mail address, and a link takes a limited number a day.
"""

from __future__ import annotations

import secrets

from chalicelib import periods
from chalicelib.accounts.ledger.posting import get_reseller
from chalicelib.accounts.service.clients import new_client
from chalicelib.accounts.service.creating import client_fields
from chalicelib.accounts.shapes.clients import ClientIn, SignupIn
from chalicelib.accounts.store.intake import SignupDay, SignupLink
from chalicelib.accounts.store.owners import Client, Reseller
from chalicelib.aws.transactions import Put, Remove, Scope, Write, commit, event, new_id, settled
from chalicelib.errors import NotFound, TooFast

MOST_A_DAY = 100
"""Sign-ups that a reseller's link takes in a UTC day."""
_KEPT_SECONDS = 3 * periods.DAY_SECONDS


@settled
def open_link(scope: Scope, reseller_id: str) -> Reseller:
    """Make a new link, which replaces the one before."""
    owner = get_reseller(reseller_id)
    before, owner.signup_token = owner.signup_token, secrets.token_urlsafe(32)
    writes: list[Write] = [
        owner.bump(Reseller.signup_token.set(owner.signup_token)),
        Put(SignupLink(*SignupLink.key(owner.signup_token), reseller_id=reseller_id)),
        *_removed(before),
        event(scope, reseller_id, "signup.opened", reseller_id),
    ]
    commit(scope, writes, owner)
    return owner


@settled
def end_link(scope: Scope, reseller_id: str) -> None:
    """End the reseller's link; nothing to do if it has none."""
    owner = get_reseller(reseller_id)
    if owner.signup_token:
        writes = [owner.bump(Reseller.signup_token.remove()), *_removed(owner.signup_token)]
        commit(scope, [*writes, event(scope, reseller_id, "signup.ended", reseller_id)])


@settled
def sign_up(scope: Scope, token: str, body: SignupIn) -> Client:
    """A waiting client. It is ``strict``, because the reseller does not know it: it pays before it calls.

    404 for an unknown link and for one of a reseller that is not active, 429 if the link has had enough today.
    """
    link = SignupLink.find(*SignupLink.key(token))
    reseller = Reseller.find(*Reseller.key(link.reseller_id)) if link else None
    if reseller is None or reseller.status != "active":
        raise NotFound("There is no such sign-up link.")
    counted = _count(scope, reseller.reseller_id)
    fields = ClientIn(**dict(body), balance_mode="strict")
    item = new_client(scope, reseller.reseller_id, new_id(), fields, status="waiting")
    recorded = event(scope, reseller.reseller_id, "client.signed_up", item.client_id, client_fields(item))
    commit(scope, [Put(item), counted, recorded], item)
    return item


def _count(scope: Scope, reseller_id: str) -> Write:
    """The write that counts a sign-up. Its condition keeps two at once from passing the limit together."""
    key = SignupDay.key(reseller_id, periods.utc_day(scope.now))
    today = SignupDay.find(*key)
    if today is None:
        return Put(SignupDay(*key, asked=1, expires_at=scope.now + _KEPT_SECONDS))
    count = today.asked
    if count >= MOST_A_DAY:
        left = periods.DAY_SECONDS - scope.now % periods.DAY_SECONDS
        raise TooFast("This link has had as many sign-ups as it takes in a day; try again tomorrow.", retry_after=left)
    return Put(SignupDay(*key, asked=count + 1, expires_at=today.expires_at), SignupDay.asked == count)


def _removed(token: str | None) -> list[Write]:
    return [Remove(SignupLink(*SignupLink.key(token)), SignupLink.pk.exists())] if token else []
