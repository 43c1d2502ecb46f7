"""From the outbox to deliveries: each item becomes one delivery per receiver, in one transaction."""

from __future__ import annotations

from chalicelib.accounts.ledger.posting import get_client
from chalicelib.apart import Apart
from chalicelib.aws.transactions import Put, Remove, Scope, Write, commit
from chalicelib.config import settings
from chalicelib.errors import LostRace
from chalicelib.notices import kinds, store
from chalicelib.notices.store import Delivery
from chalicelib.outbox import OutboxItem


def take_all(scope: Scope, at_most: int = 1000) -> int:
    """Turn the items of the outbox into deliveries, oldest first; how many items were taken.

    An item that fails is tried again in the next minute; ``RuntimeError`` names it when the others are taken.
    """
    taken, apart = 0, Apart()
    for item in OutboxItem.under(*OutboxItem.waiting(), limit=at_most):
        with apart.turn(f"the outbox item {item.kind} {item.event_id}"):
            taken += _take(scope, item)
    apart.end()
    return taken


def _take(scope: Scope, item: OutboxItem) -> bool:
    """Replace an item by its deliveries; ``False`` if another call did so first."""
    writes: list[Write] = [Remove(item, OutboxItem.pk.exists())]
    for target in _targets(item):
        delivery = Delivery(
            *Delivery.key(item.reseller_id, item.at, item.event_id, target),
            event_id=item.event_id,
            reseller_id=item.reseller_id,
            kind=item.kind,
            target=target,
            at=item.at,
            data=item.data,
            next_attempt_at=scope.now,
            created_at=scope.now,
        )
        writes += [Put(delivery), Put(store.due(delivery))]
    try:
        commit(scope, writes)
    except LostRace:
        return False
    return True


def _targets(item: OutboxItem) -> list[str]:
    """The receivers: ids of webhooks, and ``reseller`` and ``client`` for e-mails."""
    targets = [
        hook.webhook_id for hook in store.webhooks(item.reseller_id) if hook.events is None or item.kind in hook.events
    ]
    if not settings.mail_from:
        return targets
    wishes = store.wishes(item.reseller_id)
    if item.kind in wishes.reseller:
        targets.append("reseller")
    if item.kind in kinds.CLIENT_KINDS and item.kind in wishes.clients and client_address(item):
        targets.append("client")
    return targets


def client_address(notice: OutboxItem | Delivery) -> str:
    """E-mail address of the client that a notice is about; blank if it has none or is closed."""
    client = get_client(notice.reseller_id, notice.data["client_id"])
    profile = client.profile
    preferred = profile.get("low_balance_email") if notice.kind == "client.low_balance" else None
    return "" if client.status == "closed" else str(preferred or profile.get("email") or "")
