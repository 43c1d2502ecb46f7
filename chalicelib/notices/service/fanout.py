"""From what happened to who is told: each item of the outbox becomes deliveries, in one transaction."""

from __future__ import annotations

import logging

from chalicelib.accounts.ledger.posting import client_of
from chalicelib.aws.transactions import Put, Remove, Scope, Write, commit
from chalicelib.config import settings
from chalicelib.errors import LostRace
from chalicelib.notices import kinds, store
from chalicelib.notices.store import Delivery
from chalicelib.outbox import PARTITION, Notice

log = logging.getLogger(__name__)


def take_all(scope: Scope, at_most: int = 1000) -> int:
    """Hand on everything in the outbox, oldest first; how many items that were."""
    taken = 0
    for notice in Notice.under(PARTITION, "0", limit=at_most):
        try:
            taken += _take(scope, notice)
        except Exception:
            # One that breaks must not stand before all others; it is tried again the next minute.
            log.exception("the notice %s %s could not be handed on", notice.kind, notice.event_id)
    return taken


def _take(scope: Scope, notice: Notice) -> bool:
    """One item: it goes, and its deliveries come, or neither. A twin that was faster did the same."""
    writes: list[Write] = [Remove(notice, Notice.pk.exists())]
    for target in _targets(notice):
        delivery = Delivery(
            f"N#{notice.reseller_id}",
            f"{notice.at:012d}#{notice.event_id}#{target}",
            event_id=notice.event_id,
            reseller_id=notice.reseller_id,
            kind=notice.kind,
            target=target,
            at=notice.at,
            data=notice.data,
            next_attempt_at=scope.now,
            created_at=scope.now,
        )
        writes += [Put(delivery), Put(store.due(delivery))]
    try:
        commit(scope, writes)
    except LostRace:
        return False
    return True


def _targets(notice: Notice) -> list[str]:
    """Who is to be told of this: the client and the reseller by e-mail, and programs."""
    found = [
        hook.webhook_id
        for hook in store.webhooks(notice.reseller_id)
        if hook.events is None or notice.kind in hook.events
    ]
    if not settings.mail_from:
        return found
    wishes = store.wishes(notice.reseller_id)
    if notice.kind in wishes.reseller:
        found.append("reseller")
    if notice.kind in kinds.CLIENT_KINDS and notice.kind in wishes.clients and client_address(notice):
        found.append("client")
    return found


def client_address(told: Notice | Delivery) -> str:
    """Where the client of a notice reads its e-mail; empty for one that gave no address, or is closed."""
    client = client_of(told.reseller_id, told.data["client_id"])()
    profile = client.profile
    wanted = profile.get("low_balance_email") if told.kind == "client.low_balance" else None
    return "" if client.status == "closed" else str(wanted or profile.get("email") or "")
