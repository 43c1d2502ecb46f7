"""What the API offers: webhooks, wishes about e-mails, and what came of deliveries."""

from __future__ import annotations

from chalicelib.accounts.ledger.posting import plan, reseller_of
from chalicelib.aws import paging
from chalicelib.aws.transactions import Change, Put, Remove, Scope, commit, event, new_id, settled
from chalicelib.errors import Conflict, NotFound
from chalicelib.notices import signing, store
from chalicelib.notices.shapes import DeliveriesQuery, WebhookIn, WebhookMade, WebhookOut, WishesIn
from chalicelib.notices.store import Delivery, Webhook, Wishes

MOST = 10
"""Webhooks of one reseller: each event is sent to all of them."""
BOTH_SECONDS = 86_400
"""How long a secret still signs beside the one that took its place."""


@settled
def create(scope: Scope, reseller_id: str, body: WebhookIn) -> WebhookMade:
    """A webhook with a secret of its own; 409 above ``MOST`` of them."""
    # The reseller's version fences the count.
    _, counted = plan(scope, reseller_of(reseller_id)(), [])
    if len(store.webhooks(reseller_id)) >= MOST:
        raise Conflict(f"There are {MOST} webhooks already; delete one first.")
    webhook_id = new_id()
    item = Webhook(
        f"R#{reseller_id}",
        f"WEBHOOK#{webhook_id}",
        webhook_id=webhook_id,
        url=body.url,
        events=body.events and sorted(set(body.events)),
        secret=signing.new_secret(),
        created_at=scope.now,
    )
    told = {"url": item.url, "events": item.events}
    made = _made(item)
    recorded = event(scope, reseller_id, "webhook.created", webhook_id, told)
    commit(scope, [*counted, Put(item), recorded], made)
    return made


@settled
def rotate(scope: Scope, reseller_id: str, webhook_id: str) -> WebhookMade:
    """A new secret; the old one signs beside it for a day, so that the receiver can change over without a gap."""
    item = _mine(reseller_id, webhook_id)
    version = item.version
    item.old_secret, item.old_until, item.secret = item.secret, scope.now + BOTH_SECONDS, signing.new_secret()
    actions = [
        Webhook.secret.set(item.secret),
        Webhook.old_secret.set(item.old_secret),
        Webhook.old_until.set(item.old_until),
        Webhook.version.set(version + 1),
    ]
    made = _made(item)
    rotated = event(scope, reseller_id, "webhook.secret_rotated", webhook_id)
    commit(scope, [Change(item, actions, Webhook.version == version), rotated], made)
    return made


def listed(reseller_id: str, asked: paging.Asked) -> paging.Rows[Webhook]:
    return paging.page(Webhook, f"R#{reseller_id}", "WEBHOOK#", asked)


@settled
def delete(scope: Scope, reseller_id: str, webhook_id: str) -> None:
    """End a webhook: what was still to be sent to it is given up."""
    item = _mine(reseller_id, webhook_id)
    gone = event(scope, reseller_id, "webhook.deleted", webhook_id, None, {"url": item.url})
    commit(scope, [Remove(item, Webhook.pk.exists()), gone])


def get_wishes(reseller_id: str) -> Wishes:
    return store.wishes(reseller_id)


@settled
def put_wishes(scope: Scope, reseller_id: str, body: WishesIn) -> Wishes:
    """Say which kinds go out by e-mail from now on."""
    before = store.wishes(reseller_id)
    told = {"clients": sorted(set(body.clients)), "reseller": sorted(set(body.reseller))}
    item = Wishes(f"R#{reseller_id}", "NOTICES", clients=told["clients"], reseller=told["reseller"])
    was = {"clients": sorted(before.clients), "reseller": sorted(before.reseller)}
    changed = event(scope, reseller_id, "notifications.changed", reseller_id, told, was)
    commit(scope, [Put(item, anyway=True), changed], item)
    return item


def deliveries(reseller_id: str, query: DeliveriesQuery, asked: paging.Asked) -> paging.Rows[Delivery]:
    """What was told to whom and how it went, newest first; 404 for a webhook that is not the reseller's."""
    if query.webhook_id:
        _mine(reseller_id, query.webhook_id)

    def keep(row: Delivery) -> bool:
        return (
            query.channel in (None, row.channel)
            and query.status in (None, row.status)
            and query.webhook_id in (None, row.target)
        )

    return paging.page(Delivery, f"N#{reseller_id}", "0", asked, keep=keep, newest_first=True)


def _mine(reseller_id: str, webhook_id: str) -> Webhook:
    found = Webhook.find(f"R#{reseller_id}", f"WEBHOOK#{webhook_id}")
    if found is None:
        raise NotFound("There is no such webhook.")
    return found


def _made(item: Webhook) -> WebhookMade:
    return WebhookMade(**dict(WebhookOut.model_validate(item)), secret=item.secret)
