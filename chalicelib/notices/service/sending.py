"""Sending: tries each delivery that is due and records the outcome.

A try begins with a lease on the delivery and ends with one transaction that closes the delivery or sets its next try.
If the function is killed in between, the lease runs out and the same event is sent again under the same id: every
delivery is sent at least once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pynamodb.exceptions import UpdateError
from pynamodb.expressions.update import Action

from chalicelib import periods
from chalicelib.accounts.ledger.posting import get_client, get_reseller
from chalicelib.apart import Apart
from chalicelib.aws.transactions import Change, Put, Remove, Scope, Write, commit
from chalicelib.config import settings
from chalicelib.errors import LostRace
from chalicelib.notices import hooks, kinds, letters, mail, signing, store
from chalicelib.notices.hooks import Outcome
from chalicelib.notices.mail import Letter
from chalicelib.notices.service import fanout
from chalicelib.notices.store import Delivery, Due, Webhook

log = logging.getLogger(__name__)

LEASE_SECONDS = 180
"""Longer than the function may run (``send_notices`` in .chalice/config.json), so a running try keeps its lease."""
THREADS = 16
ROUND = 200
"""Deliveries that are read at once."""


@dataclass(frozen=True)
class Gateways:
    """The gateways for webhooks and e-mails; tests pass others."""

    post: Callable[..., Outcome] = hooks.post
    send: Callable[[Letter, str], str] = mail.send


def send_due(
    scope: Scope, clock: Callable[[], int], until: int, gateways: Gateways = Gateways(), threads: int = THREADS
) -> int:
    """Try the deliveries that are due; no try begins at or after the instant ``until``. The number of tries.

    ``RuntimeError`` names the deliveries of which a try broke, when the others are tried. That a receiver does not
    answer is no such error.
    """
    after, apart, tried = None, Apart(), list[Due]()

    def one(due: Due) -> None:
        with apart.turn(f"the delivery {due.sk}"):
            if clock() < until and _try(scope, due, clock, gateways):
                tried.append(due)

    with ThreadPoolExecutor(threads, "notices") as pool:
        while clock() < until:
            rows = store.due_until(clock(), after=after, limit=ROUND)
            if not rows:
                break
            list(pool.map(one, rows))
            after = rows[-1].sk
    apart.end()
    return len(tried)


def _try(scope: Scope, due: Due, clock: Callable[[], int], gateways: Gateways) -> bool:
    """One try of a delivery; ``False`` if it was not due any more, or is leased by another call."""
    delivery = _lease(due, clock())
    if delivery is None:
        return False
    _record(scope, due, delivery, _send(delivery, clock(), gateways), clock())
    return True


def _lease(due: Due, now: int) -> Delivery | None:
    """The delivery with a lease; ``None`` if another call holds one, or the delivery is not due any more."""
    delivery = Delivery.find(due.delivery_pk, due.delivery_sk)
    # A delivery that has ended has no next try, and so no key of one.
    if delivery is None or delivery.status != "pending" or store.due_key(delivery).sk != due.sk:
        return None
    free = (Delivery.leased_until <= now) & (Delivery.next_attempt_at == delivery.next_attempt_at)
    try:
        delivery.update(actions=[Delivery.leased_until.set(now + LEASE_SECONDS)], condition=free)
    except UpdateError as problem:
        if problem.cause_response_code == "ConditionalCheckFailedException":
            return None
        raise
    return delivery


def _send(delivery: Delivery, now: int, gateways: Gateways) -> Outcome | None:
    """Send an e-mail or a webhook request; ``None`` if the receiver does not exist any more."""
    if delivery.channel == "email":
        letter = _letter(delivery)
        if letter is None:
            return None
        error = gateways.send(letter, settings.mail_from)
        return Outcome(None if error else 200, error)
    hook = Webhook.find(*Webhook.key(delivery.reseller_id, delivery.target))
    if hook is None:
        return None
    body = signing.body_of(delivery.event_id, delivery.kind, periods.format_instant(delivery.at), delivery.data)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Forfait-Webhook/1",
        "Forfait-Event-Id": delivery.event_id,
        "Forfait-Event": delivery.kind,
        "Forfait-Signature": signing.signature(_secrets(hook, now), now, body),
    }
    return gateways.post(hook.url, body, headers, loopback=settings.is_local)


def _secrets(hook: Webhook, now: int) -> list[str]:
    """The secrets that are valid at an instant."""
    old = [hook.old_secret] if hook.old_secret and (hook.old_until or 0) > now else []
    return [hook.secret, *old]


def _letter(delivery: Delivery) -> Letter | None:
    """The e-mail of a delivery; ``None`` if its receiver has no address, or the deployment sends no e-mails."""
    reseller, data = get_reseller(delivery.reseller_id), dict(delivery.data)
    data |= {"brand": reseller.name, "file": str(data.get("key", "")).rpartition("/")[2]}
    kind, to, language = delivery.kind, reseller.email, reseller.language
    if "client_id" in data:
        profile = get_client(delivery.reseller_id, data["client_id"]).profile
        person = f"{profile.get('first_name', '')} {profile.get('last_name', '')}".strip()
        data["name"] = profile.get("company") or person or data["client_id"]
        if delivery.target == "client":
            data["name"] = person or profile.get("company") or ""
            to, language = fanout.client_address(delivery), profile.get("language")
        else:
            kind = f"of.{kind}"
    if not to or not settings.mail_from:
        return None
    subject, text = letters.write(kind, letters.language_of(language), settings.currency, data)
    return Letter(to, reseller.name, reseller.email, subject, text, delivery.event_id)


def _record(scope: Scope, due: Due, delivery: Delivery, outcome: Outcome | None, now: int) -> None:
    """Close the delivery or set its next try. Changes nothing if another try has recorded its outcome first."""
    attempts = delivery.attempts + 1
    actions: list[Action] = [Delivery.attempts.set(attempts), Delivery.leased_until.set(0)]
    writes: list[Write] = [Remove(due, Due.pk.exists())]
    next_attempt_at = None
    if outcome is None:
        actions.append(Delivery.last_error.set("there is nobody left to tell"))
    else:
        actions.append(Delivery.last_error.set(outcome.error))
        status = outcome.status
        actions.append(Delivery.last_status.remove() if status is None else Delivery.last_status.set(status))
        if not outcome.delivered and not outcome.hopeless:
            next_attempt_at = kinds.next_try(delivery.created_at, attempts, now)
    unchanged = (Delivery.status == "pending") & (Delivery.next_attempt_at == delivery.next_attempt_at)
    if next_attempt_at is None:
        ended = "delivered" if outcome and outcome.delivered else "dead"
        if ended == "dead":
            log.warning("%s %s was given up after %d tries", delivery.kind, delivery.event_id, attempts)
        actions += [Delivery.status.set(ended), Delivery.ended_at.set(now), Delivery.next_attempt_at.remove()]
        actions.append(Delivery.expires_at.set(now + store.KEPT_SECONDS))
    else:
        actions.append(Delivery.next_attempt_at.set(next_attempt_at))
        delivery.next_attempt_at = next_attempt_at
        writes.append(Put(store.due(delivery)))
    try:
        commit(scope, [*writes, Change(delivery, actions, unchanged)])
    except LostRace:
        log.info("another try has recorded its outcome of the delivery %s", delivery.event_id)
