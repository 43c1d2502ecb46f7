"""Telling: takes the deliveries that are due, tries each, and writes down what came of it.

A try begins by leasing the delivery and ends by one transaction that either closes it or sets its next try. Whoever is
killed in between leaves a lease that runs out, and the same thing is sent again under the same id: at least once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pynamodb.exceptions import UpdateError
from pynamodb.expressions.update import Action

from chalicelib import periods
from chalicelib.accounts.ledger.posting import client_of, reseller_of
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
"""Longer than the function may run (``send_notices`` in .chalice/config.json), so that a live try is left alone."""
THREADS = 16
ROUND = 200
"""Deliveries that are read at a time."""


@dataclass(frozen=True)
class Ways:
    """The gateways, so that tests can hand in others."""

    post: Callable[..., Outcome] = hooks.post
    send: Callable[[Letter, str], str] = mail.send


def send_due(scope: Scope, clock: Callable[[], int], until: int, ways: Ways = Ways(), threads: int = THREADS) -> int:
    """Try everything that is due, until the instant ``until``; how many tries that were."""
    tried, after = 0, None
    with ThreadPoolExecutor(threads, "notices") as pool:
        while clock() < until:
            found = Due.under("DUE", "0", after=after, last=f"{clock():012d}~", limit=ROUND)
            if not found:
                break
            # Whoever begins too late is left to the next minute.
            tried += sum(pool.map(lambda each: clock() < until and _try(scope, each, clock, ways), found))
            after = found[-1].sk
    return tried


def _try(scope: Scope, due: Due, clock: Callable[[], int], ways: Ways) -> bool:
    try:
        delivery = _lease(due, clock())
        if delivery is None:
            return False
        _note(scope, due, delivery, _tell(delivery, clock(), ways), clock())
        return True
    except Exception:
        log.exception("the delivery %s broke", due.sk)
        return False


def _lease(due: Due, now: int) -> Delivery | None:
    """The delivery, with nobody else at it; ``None`` when somebody is, or it is not due at this instant any more."""
    delivery = Delivery.find(due.delivery_pk, due.delivery_sk)
    if delivery is None or store.due(delivery).sk != due.sk or delivery.status != "pending":
        return None
    free = (Delivery.leased_until <= now) & (Delivery.next_attempt_at == delivery.next_attempt_at)
    try:
        delivery.update(actions=[Delivery.leased_until.set(now + LEASE_SECONDS)], condition=free)
    except UpdateError as problem:
        if problem.cause_response_code == "ConditionalCheckFailedException":
            return None
        raise
    return delivery


def _tell(delivery: Delivery, now: int, ways: Ways) -> Outcome | None:
    """One try; ``None`` when there is nobody left to tell."""
    if delivery.channel == "email":
        letter = _letter(delivery)
        if letter is None:
            return None
        error = ways.send(letter, settings.mail_from)
        return Outcome(None if error else 200, error)
    hook = Webhook.find(f"R#{delivery.reseller_id}", f"WEBHOOK#{delivery.target}")
    if hook is None:
        return None
    said = delivery.data
    body = signing.body_of(delivery.event_id, delivery.kind, periods.format_instant(delivery.at), said)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Forfait-Webhook/1",
        "Forfait-Event-Id": delivery.event_id,
        "Forfait-Event": delivery.kind,
        "Forfait-Signature": signing.signature(_keys(hook, now), now, body),
    }
    return ways.post(hook.url, body, headers, loopback=settings.is_local)


def _keys(hook: Webhook, now: int) -> list[str]:
    old = [str(hook.old_secret)] if hook.old_secret and (hook.old_until or 0) > now else []
    return [str(hook.secret), *old]


def _letter(delivery: Delivery) -> Letter | None:
    reseller, said = reseller_of(delivery.reseller_id)(), dict(delivery.data)
    said |= {"brand": reseller.name, "file": str(said.get("key", "")).rpartition("/")[2]}
    kind, to, language = str(delivery.kind), str(reseller.email), reseller.language
    if "client_id" in said:
        profile = client_of(delivery.reseller_id, said["client_id"])().profile
        person = f"{profile.get('first_name', '')} {profile.get('last_name', '')}".strip()
        said["name"] = profile.get("company") or person or said["client_id"]
        if delivery.target == "client":
            said["name"] = person or profile.get("company") or ""
            to, language = fanout.client_address(delivery), profile.get("language")
        else:
            kind = f"of.{kind}"
    if not to or not settings.mail_from:
        return None
    subject, text = letters.write(kind, letters.language_of(language), settings.currency, said)
    return Letter(to, reseller.name, str(reseller.email), subject, text, str(delivery.event_id))


def _note(scope: Scope, due: Due, delivery: Delivery, outcome: Outcome | None, now: int) -> None:
    """Close the delivery, or set its next try. Only for the try that was leased: a twin's word stands."""
    attempts = delivery.attempts + 1
    actions: list[Action] = [Delivery.attempts.set(attempts), Delivery.leased_until.set(0)]
    writes: list[Write] = [Remove(due, Due.pk.exists())]
    again = None
    if outcome is not None:
        actions.append(Delivery.last_error.set(outcome.error))
        told = Delivery.last_status.remove() if outcome.status is None else Delivery.last_status.set(outcome.status)
        actions.append(told)
        if not outcome.delivered and not outcome.hopeless:
            again = kinds.next_try(delivery.created_at, attempts, now)
    else:
        actions.append(Delivery.last_error.set("there is nobody left to tell"))
    was = delivery.next_attempt_at
    if again is None:
        ended = "delivered" if outcome and outcome.delivered else "dead"
        if ended == "dead":
            log.warning("%s %s was given up after %d tries", delivery.kind, delivery.event_id, attempts)
        actions += [Delivery.status.set(ended), Delivery.ended_at.set(now), Delivery.next_attempt_at.remove()]
        actions.append(Delivery.expires_at.set(now + store.KEPT_SECONDS))
    else:
        actions.append(Delivery.next_attempt_at.set(again))
        delivery.next_attempt_at = again
        writes.append(Put(store.due(delivery)))
    still = (Delivery.status == "pending") & (Delivery.next_attempt_at == was)
    try:
        commit(scope, [*writes, Change(delivery, actions, still)])
    except LostRace:
        log.info("the delivery %s was noted by another try", delivery.event_id)
