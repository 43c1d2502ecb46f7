"""What a reseller sets and sees of notices: webhooks, kinds that go out by e-mail, and deliveries."""

from __future__ import annotations

from chalicelib.accounts.ledger.posting import get_reseller
from chalicelib.aws import paging
from chalicelib.aws.transactions import Change, Put, Remove, Scope, commit, event, new_id, settled
from chalicelib.errors import Conflict, existing
from chalicelib.notices import signing, store
from chalicelib.notices.shapes import DeliveriesQuery, WebhookIn, WebhookMade, WebhookOut, WishesIn
from chalicelib.notices.store import Delivery, Webhook, Wishes

MOST = 10
"""Webhooks that a reseller may have: each event is sent to all of them."""
BOTH_SECONDS = 86_400
"""How long the previous secret signs together with the new one."""


@settled
def create(scope: Scope, reseller_id: str, body: WebhookIn) -> WebhookMade:
    """A new webhook with its secret; 409 if there are ``MOST`` already."""
    # Requires the reseller's version, so two requests at once cannot both be the last one allowed.
    bumped = get_reseller(reseller_id).bump()
    if len(store.webhooks(reseller_id)) >= MOST:
        raise Conflict(f"There are {MOST} webhooks already; delete one first.")
    webhook_id = new_id()
    item = Webhook(
        *Webhook.key(reseller_id, webhook_id),
        webhook_id=webhook_id,
        url=body.url,
        events=body.events and sorted(set(body.events)),
        secret=signing.new_secret(),
        created_at=scope.now,
    )
    made = _with_secret(item)
    changes = {"url": item.url, "events": item.events}
    recorded = event(scope, reseller_id, "webhook.created", webhook_id, changes)
    commit(scope, [bumped, Put(item), recorded], made)
    return made


@settled
def rotate(scope: Scope, reseller_id: str, webhook_id: str) -> WebhookMade:
    """A new secret. The old one signs too for a day, so that the receiver can change over without a gap."""
    item = _webhook(reseller_id, webhook_id)
    version = item.version
    item.old_secret, item.old_until, item.secret = item.secret, scope.now + BOTH_SECONDS, signing.new_secret()
    actions = [
        Webhook.secret.set(item.secret),
        Webhook.old_secret.set(item.old_secret),
        Webhook.old_until.set(item.old_until),
        Webhook.version.set(version + 1),
    ]
    made = _with_secret(item)
    rotated = event(scope, reseller_id, "webhook.secret_rotated", webhook_id)
    commit(scope, [Change(item, actions, Webhook.version == version), rotated], made)
    return made


def listed(reseller_id: str, request: paging.PageRequest) -> paging.Page[Webhook]:
    """A page of webhooks, oldest first."""
    return paging.page(Webhook, Webhook.of_reseller(reseller_id), request)


@settled
def delete(scope: Scope, reseller_id: str, webhook_id: str) -> None:
    """Delete a webhook. Deliveries to it that still wait are not sent."""
    item = _webhook(reseller_id, webhook_id)
    deleted = event(scope, reseller_id, "webhook.deleted", webhook_id, None, {"url": item.url})
    commit(scope, [Remove(item, Webhook.pk.exists()), deleted])


def get_wishes(reseller_id: str) -> Wishes:
    return store.wishes(reseller_id)


@settled
def put_wishes(scope: Scope, reseller_id: str, body: WishesIn) -> Wishes:
    """Set the kinds that go out by e-mail from now on."""
    before = store.wishes(reseller_id)
    new = {"clients": sorted(set(body.clients)), "reseller": sorted(set(body.reseller))}
    old = {"clients": sorted(before.clients), "reseller": sorted(before.reseller)}
    item = Wishes(*Wishes.key(reseller_id), clients=new["clients"], reseller=new["reseller"])
    changed = event(scope, reseller_id, "notifications.changed", reseller_id, new, old)
    commit(scope, [Put(item, anyway=True), changed], item)
    return item


def deliveries(reseller_id: str, query: DeliveriesQuery, request: paging.PageRequest) -> paging.Page[Delivery]:
    """A page of deliveries, newest first; 404 for a webhook that is not the reseller's."""
    if query.webhook_id:
        _webhook(reseller_id, query.webhook_id)

    def keep(row: Delivery) -> bool:
        return (
            query.channel in (None, row.channel)
            and query.status in (None, row.status)
            and query.webhook_id in (None, row.target)
        )

    return paging.page(Delivery, Delivery.of_reseller(reseller_id), request, keep=keep, newest_first=True)


def _webhook(reseller_id: str, webhook_id: str) -> Webhook:
    return existing(Webhook.find(*Webhook.key(reseller_id, webhook_id)), "There is no such webhook.")


def _with_secret(item: Webhook) -> WebhookMade:
    return WebhookMade(**dict(WebhookOut.model_validate(item)), secret=item.secret)
